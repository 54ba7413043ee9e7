/** One customer: the account, its statement, its orders, and the operators' acts on them. */

import { call, Problem } from "../core/api.js";
import { h } from "../core/dom.js";
import { money, t } from "../core/language.js";
import { newestFirst } from "../core/newest.js";
import { asked, to } from "../core/router.js";
import { form } from "../parts/form.js";
import { act, fault, note } from "./act.js";
import { facts, frame, staff } from "./frame.js";
import { keyed, live, morph } from "./live.js";
import { orderList } from "./orders.js";
import { statementList } from "./statement.js";
import { time } from "./times.js";

/** @typedef {import("../core/api.js").Schemas["Account"]} Account */

export default staff(async (context) => {
  const {
    params: [userId = ""],
    session,
    signal,
  } = context;
  const path = { userId };
  const newest = newestFirst({ userId }, 10);
  const account = h("div", { class: "card" });
  const statement = h("div", {});
  const orders = h("div", {});
  const acts = h("div", { class: "acts" });
  const showActs = keyed(
    acts,
    (/** @type {string} */ choice) => choice,
    (choice) => ({ element: made(choice, userId, signal), show: () => {} }),
  );
  try {
    const said = await live(5000, signal, async () => {
      const [{ data }, lines, latest] = await Promise.all([
        call("get", "/accounts/{userId}", { path, signal }),
        call("get", "/accounts/{userId}/transactions", { path, query: { limit: 10 }, signal }),
        newest(null, signal),
      ]);
      morph(account, ...head(data));
      morph(statement, statementList(lines.data, data.currency));
      morph(orders, orderList(latest.orders, { ofOne: true }));
      if (session.mayOperate) showActs([data.frozen ? "unfreeze" : "freeze", "correct"]);
    });
    const all = asked(to("operator", "orders"), { userId });
    return frame(
      context,
      userId,
      said,
      account,
      acts,
      balanceThen(userId, signal),
      h("h2", {}, t("op.orders.latest")),
      orders,
      h("p", {}, h("a", { href: all }, t("op.orders.all"))),
      h("h2", {}, t("op.statement.latest")),
      statement,
      h("p", {}, h("a", { href: to("operator", "customers", userId, "statement") }, t("op.statement.all"))),
    );
  } catch (error) {
    if (error instanceof Problem && error.status === 404)
      return frame(context, userId, h("p", { class: "card" }, t("op.customer.missing")));
    throw error;
  }
});

/** @param {Account} account */
function head({ balance, currency, createdAt, frozen }) {
  const amount = money(balance, currency);
  return [
    h(
      "div",
      { class: "row apart" },
      h(
        "div",
        {},
        h("p", { class: "soft" }, t("balance")),
        h("p", { class: `figure ${amount.length > 14 ? "long" : ""}` }, amount),
      ),
      h("p", {}, h("span", { class: `tag ${frozen ? "bad" : "good"}` }, t(frozen ? "op.frozen" : "op.open"))),
    ),
    frozen && h("p", { class: "small" }, t("op.frozen.text")),
    facts([t("op.opened"), time(createdAt)]),
  ];
}

/**
 * @param {string} userId
 * @param {AbortSignal} signal
 */
function balanceThen(userId, signal) {
  const answer = h("output", { class: "number" });
  const asked = form({
    name: `operator.at.${userId}`,
    fields: [{ name: "at", label: t("op.at"), attributes: { type: "datetime-local", step: "1" } }],
    action: t("op.at.go"),
    send: async ({ at = "" }) => {
      const when = new Date(at);
      if (Number.isNaN(when.getTime())) throw fault({ field: "at", message: t("op.at.bad") });
      const query = { at: when.toISOString() };
      return { query, ...(await call("get", "/accounts/{userId}", { path: { userId }, query, signal })) };
    },
    done: ({ data, query }) =>
      morph(answer, h("b", {}, money(data.balance, data.currency)), " · ", time(query.at)),
    signal,
  });
  return h("div", { class: "card" }, h("h2", {}, t("op.at.title")), asked, answer);
}

/**
 * @param {string} choice
 * @param {string} userId
 * @param {AbortSignal} signal
 */
function made(choice, userId, signal) {
  const path = { userId };
  if (choice === "correct")
    return act({
      name: `operator.correct.${userId}`,
      label: t("op.correct"),
      about: t("op.correct.about"),
      fields: [
        {
          name: "amount",
          label: t("op.correct.amount"),
          hint: t("op.correct.hint"),
          attributes: { maxlength: 20, "aria-required": "true" },
        },
        note(true),
      ],
      action: t("op.correct.go"),
      tone: "danger",
      send: async ({ amount = "", note = "" }, key) => {
        const plain = amount.replace(/\s/g, "").replace("−", "-").replace(",", ".").replace(/^\+/, "");
        if (!/^-?(?!0(\.00?)?$)(0|[1-9]\d{0,11})(\.\d{1,2})?$/.test(plain))
          throw fault({ field: "amount", message: t("op.correct.bad") });
        return call("post", "/ops/accounts/{userId}/correct", { path, body: { amount: plain, note }, key });
      },
      done: ({ data }) => t("op.correct.done", { balance: money(data.balance, data.currency) }),
      signal,
    });
  const freezes = choice === "freeze";
  return act({
    name: `operator.${choice}.${userId}`,
    label: t(freezes ? "op.freeze" : "op.unfreeze"),
    about: t(freezes ? "op.freeze.about" : "op.unfreeze.about"),
    fields: [note(true)],
    action: t(freezes ? "op.freeze" : "op.unfreeze"),
    tone: freezes ? "danger" : "plain",
    send: ({ note = "" }) =>
      call("post", freezes ? "/ops/accounts/{userId}/freeze" : "/ops/accounts/{userId}/unfreeze", {
        path,
        body: { note },
      }),
    signal,
  });
}
