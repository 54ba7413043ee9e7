/** The latest orders. */

import { h } from "../core/dom.js";
import { money, t } from "../core/language.js";
import { newestFirst } from "../core/newest.js";
import { asked, to } from "../core/router.js";
import { STATUSES, statusTag } from "../parts/status.js";
import { frame, isId, orderLink, pages, staff, userLink } from "./frame.js";
import { live, morph } from "./live.js";
import { stamp } from "./times.js";

/** @typedef {import("../core/api.js").Schemas["Order"]} Order */

export default staff(async (context) => {
  const { query, signal } = context;
  const status = STATUSES.find((one) => one === query.get("status"));
  const userId = query.get("userId") ?? "";
  const after = query.get("after") ?? "";
  const before = isId(after) ? after.toLowerCase() : null;
  const read = newestFirst({ status, userId }, 50);
  const list = h("div", {});
  const said = await live(5000, signal, async () => {
    const { orders, more } = await read(before, signal);
    const next = more ? orders.at(-1)?.id : null;
    const own = { status: status ?? "", userId, after };
    morph(list, orderList(orders), pages(to("operator", "orders"), own, next, "op.older"));
  });
  return frame(context, t("op.orders"), said, filter(status, userId), list);
});

/**
 * @param {Order["status"] | undefined} chosen
 * @param {string} userId
 */
function filter(chosen, userId) {
  const address = (/** @type {Record<string, string | undefined>} */ query) =>
    asked(to("operator", "orders"), query);
  const link = (/** @type {Order["status"] | undefined} */ one) =>
    h(
      "a",
      { href: address({ status: one, userId }), "aria-current": one === chosen && "true" },
      one ? t(`status.${one}`) : t("op.all"),
    );
  return h(
    "div",
    {},
    userId &&
      h(
        "p",
        {},
        `${t("op.customer")} `,
        userLink(userId),
        " · ",
        h("a", { href: address({}) }, t("op.all.users")),
      ),
    h("nav", { class: "choices", "aria-label": t("op.filter") }, link(undefined), ...STATUSES.map(link)),
  );
}

/**
 * @param {Order[]} orders
 * @param {{ ofOne?: boolean }} [options]  `ofOne`: all orders are of one customer, whom the page names already.
 */
export function orderList(orders, { ofOne = false } = {}) {
  if (orders.length === 0) return h("p", { class: "soft" }, t("op.orders.none"));
  return h(
    "ul",
    { class: `rows ${ofOne ? "of-one" : "of-orders"}` },
    ...orders.map((order) =>
      h(
        "li",
        {},
        h("span", { class: "small" }, stamp(order.createdAt)),
        orderLink(order.id),
        !ofOne && userLink(order.userId),
        h("span", { class: "amount" }, money(order.amount, order.currency)),
        statusTag(order.status),
      ),
    ),
  );
}
