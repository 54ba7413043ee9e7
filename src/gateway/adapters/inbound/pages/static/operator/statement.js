/** The whole statement of an account, newest line first. */

import { call } from "../core/api.js";
import { h } from "../core/dom.js";
import { money, t } from "../core/language.js";
import { to } from "../core/router.js";
import { frame, orderLink, pages, staff, userLink } from "./frame.js";
import { live, morph } from "./live.js";
import { stamp } from "./times.js";

/** @typedef {import("../core/api.js").Schemas["Transaction"]} Transaction */

export default staff(async (context) => {
  const {
    params: [userId = ""],
    query,
    signal,
  } = context;
  const path = { userId };
  const after = query.get("after");
  const list = h("div", {});
  const { data: account } = await call("get", "/accounts/{userId}", { path, signal });
  const said = await live(5000, signal, async () => {
    const asked = { limit: 50, after: after === null ? undefined : Number(after) };
    const { data, next } = await call("get", "/accounts/{userId}/transactions", {
      path,
      query: asked,
      signal,
    });
    const address = to("operator", "customers", userId, "statement");
    morph(
      list,
      statementList(data, account.currency),
      pages(address, { after: after ?? "" }, next, "op.older"),
    );
  });
  return frame(context, t("op.statement"), h("p", {}, userLink(userId)), said, list);
});

/**
 * @param {Transaction[]} lines
 * @param {string} currency
 */
export function statementList(lines, currency) {
  if (lines.length === 0) return h("p", { class: "soft" }, t("op.statement.none"));
  return h(
    "ul",
    { class: "rows of-money" },
    ...lines.map((line) =>
      h(
        "li",
        {},
        h("span", { class: "small" }, stamp(line.createdAt)),
        h(
          "span",
          {},
          t(`op.kind.${line.kind}`),
          line.orderId && " ",
          line.orderId && orderLink(line.orderId),
        ),
        h("span", { class: "amount" }, money(line.amount, currency)),
        h(
          "span",
          { class: "amount soft" },
          h("span", { class: "unseen lane" }, `${t("op.after")} `),
          money(line.balanceAfter, currency),
        ),
      ),
    ),
  );
}
