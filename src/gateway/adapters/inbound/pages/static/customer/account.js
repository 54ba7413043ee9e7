/** The account view: the balance, the owner, and the statement. */

import { h, refill } from "../core/dom.js";
import { minute, moment, money, t } from "../core/language.js";
import { repeatedly } from "../core/life.js";
import { to } from "../core/router.js";
import { pager } from "../parts/pager.js";
import { statement } from "./lines.js";
import { withAccount } from "./opening.js";
import { wallet } from "./wallet.js";

/**
 * @typedef {import("./own.js").OwnContext} OwnContext
 * @typedef {import("./wallet.js").Account} Account
 * @typedef {import("../core/api.js").Schemas["Transaction"]} Transaction
 */

const LINES = 20;

export default withAccount((context, account) => {
  const statement = statementOf(context, account);
  const element = h(
    "section",
    {},
    h("h1", {}, t("account.title")),
    wallet(context, account, statement.read),
    whose(context, account),
    statement.element,
  );
  // The shell gives it the focus.
  if (context.query.has("deposit")) element.querySelector("[data-deposit]")?.setAttribute("data-first", "");
  return element;
});

/**
 * @param {OwnContext} context
 * @param {Account} account
 */
function whose({ session }, account) {
  return h(
    "div",
    { class: "card row apart" },
    h(
      "div",
      {},
      h("p", { class: "free strong" }, account.userId),
      h("p", { class: "soft small" }, t("account.since", { at: moment(account.createdAt) })),
    ),
    session.mode === "open" && h("a", { class: "button second", href: to("people") }, t("people.change")),
  );
}

/**
 * @param {OwnContext} context
 * @param {Account} account
 */
function statementOf({ userId, query, signal }, { currency }) {
  const lines = h("ol", { class: "lines" });
  const empty = h("p", { class: "soft", hidden: true }, t("statement.empty"));
  const pages = h("div", {});
  const after = /^\d{1,18}$/.exec(query.get("after") ?? "")?.[0] ?? null;
  const read = async () => {
    const { data, next } = await statement(userId, LINES, after, signal);
    refill(
      lines,
      data,
      (line) => line.id,
      (line) => shown(line, currency),
    );
    empty.hidden = data.length > 0;
    refill(
      pages,
      next !== null || query.has("after") ? [next] : [],
      () => "pages",
      () => pager(to("account"), query, { first: "pages.newest", next: "pages.older", after: next }),
    );
  };
  repeatedly(5000, signal, read);
  const element = h("div", { class: "card" }, h("h2", {}, t("statement.title")), empty, lines, pages);
  return { element, read: () => void read().catch(() => {}) };
}

/**
 * @param {Transaction} line
 * @param {string} currency
 */
function shown({ kind, amount, balanceAfter, orderId, createdAt }, currency) {
  const gained = !String(amount).startsWith("-");
  return h(
    "li",
    { class: "line" },
    h(
      "div",
      {},
      h("p", {}, orderId ? h("a", { href: to("orders", orderId) }, t(`kind.${kind}`)) : t(`kind.${kind}`)),
      h("p", { class: "soft small" }, minute(createdAt)),
    ),
    h(
      "div",
      { class: "end" },
      h("p", { class: `number strong ${gained ? "gain" : ""}` }, money(amount, currency, { signed: true })),
      h("p", { class: "soft small number" }, t("statement.after", { amount: money(balanceAfter, currency) })),
    ),
  );
}
