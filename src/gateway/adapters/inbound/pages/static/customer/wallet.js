/** The current balance of the account, and a form to deposit money. */

import { call, Problem } from "../core/api.js";
import { fill, h } from "../core/dom.js";
import { money, t } from "../core/language.js";
import { repeatedly } from "../core/life.js";
import { placeOf } from "../core/session.js";
import { form } from "../parts/form.js";

/**
 * @typedef {import("../core/api.js").Schemas["Account"]} Account
 * @typedef {import("./own.js").OwnContext} OwnContext
 */

/**
 * @param {OwnContext} context
 * @param {Account} first
 * @param {(account: Account) => void} [changed]  Called when the balance has changed.
 * @returns {HTMLElement}
 */
export function wallet({ userId, signal }, first, changed = () => {}) {
  let shown = "";
  const balance = h("p", { class: "figure", "aria-live": "polite" });
  const news = h("p", { class: "small", role: "status" });
  const frozen = h("div", {});
  const hint = h("p", { class: "small" });
  const deposits = h("div", { class: "deposits" });
  // Only a refused deposit tells that deposits are for the staff only.
  const kept = placeOf("deposits.staff");
  /** @param {Account} account */
  const show = (account) => {
    const now = JSON.stringify([account.balance, account.frozen]);
    if (now === shown) return;
    const known = shown !== "";
    shown = now;
    const amount = money(account.balance, account.currency);
    balance.classList.toggle("long", amount.length > 14);
    fill(balance, amount);
    fill(frozen, account.frozen && h("p", { class: "notice warn", id: "frozen" }, t("account.frozen")));
    const staffs = sessionStorage.getItem(kept) !== null;
    fill(hint, Number(account.balance) === 0 && t(staffs ? "deposit.staff" : "wallet.empty"));
    fill(deposits, !account.frozen && !staffs && deposit);
    if (known) changed(account);
  };
  const deposit = form({
    name: `deposit.${userId}`,
    fields: [
      {
        name: "amount",
        label: t("deposit.amount"),
        attributes: { inputmode: "decimal", value: "100", "data-deposit": true },
      },
    ],
    action: t("deposit.go"),
    send: async ({ amount = "" }, key) => {
      try {
        const path = { userId };
        const { data } = await call("post", "/accounts/{userId}/deposit", { path, body: { amount }, key });
        return { data, amount };
      } catch (error) {
        if (!(error instanceof Problem && error.code === "forbidden")) throw error;
        sessionStorage.setItem(kept, "yes");
        return null;
      }
    },
    done: (answer) => {
      if (answer) show(answer.data);
      else fill(deposits);
      fill(
        news,
        answer
          ? t("deposit.done", { amount: money(answer.amount, answer.data.currency) })
          : t("deposit.staff"),
      );
    },
    signal,
  });
  show(first);
  repeatedly(4000, signal, async () => {
    const { data } = await call("get", "/accounts/{userId}", { path: { userId }, signal });
    show(data);
  });
  return h(
    "div",
    { class: "wallet" },
    h("div", { class: "stack" }, h("h2", { class: "small" }, t("balance")), balance, hint, news, frozen),
    deposits,
  );
}
