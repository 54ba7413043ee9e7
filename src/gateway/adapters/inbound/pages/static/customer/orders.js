/** The person's orders, with filters and pages that are kept in the address. */

import { fill, h, refill } from "../core/dom.js";
import { minute, money, t } from "../core/language.js";
import { repeatedly } from "../core/life.js";
import { newestFirst } from "../core/newest.js";
import { asked, to } from "../core/router.js";
import { pager } from "../parts/pager.js";
import { STATUSES, statusTag } from "../parts/status.js";
import { own } from "./own.js";

/**
 * @typedef {import("../core/api.js").Schemas["Order"]} Order
 * @typedef {import("../core/language.js").Word} Word
 */

const COUNT = 20;

export default own(({ userId, query, signal }) => {
  const list = h("ol", { class: "lines" });
  const empty = h("p", { class: "soft" });
  const pages = h("div", {});
  const status = STATUSES.find((one) => one === query.get("status"));
  const before = /^[\da-f-]{36}$/.exec(query.get("after") ?? "")?.[0] ?? null;
  const read = newestFirst({ userId, status }, COUNT);
  repeatedly(4000, signal, async () => {
    const { orders, more } = await read(before, signal);
    const next = more ? (orders.at(-1)?.id ?? null) : null;
    refill(list, orders, (order) => order.id, line);
    fill(empty, orders.length === 0 && nothing(query));
    refill(
      pages,
      next !== null || query.has("after") ? [next] : [],
      () => "pages",
      () => pager(to("orders"), query, { first: "pages.newest", next: "pages.older", after: next }),
    );
  });
  const statuses = /** @type {[string, Word][]} */ (STATUSES.map((one) => [one, `status.${one}`]));
  return h(
    "section",
    {},
    h("div", { class: "stack" }, h("h1", {}, t("orders.title")), h("p", { class: "soft" }, t("orders.text"))),
    h(
      "div",
      { class: "filters" },
      choices(query, "status", "orders.status", [["", "orders.all"], ...statuses]),
    ),
    h("div", { class: "card" }, empty, list, pages),
  );
});

/**
 * @param {URLSearchParams} query
 * @param {string} name
 * @param {Word} label
 * @param {[value: string, word: Word][]} values
 */
function choices(query, name, label, values) {
  const kept = Object.fromEntries(query);
  return h(
    "nav",
    { class: "choices", "aria-label": t(label) },
    h("span", { class: "soft small", "aria-hidden": "true" }, t(label)),
    values.map(([value, word]) =>
      h(
        "a",
        {
          href: asked(to("orders"), { ...kept, after: null, [name]: value }),
          "aria-current": (query.get(name) ?? "") === value && "true",
        },
        t(word),
      ),
    ),
  );
}

/** @param {Order} order */
function line({ id, description, amount, currency, status, createdAt }) {
  return h(
    "li",
    { class: "line" },
    h(
      "div",
      {},
      h("p", { class: "clip" }, h("a", { href: to("orders", id) }, description || t("order.plain"))),
      h("p", { class: "soft small" }, minute(createdAt)),
    ),
    h(
      "div",
      { class: "end" },
      h("p", { class: "number strong" }, money(amount, currency)),
      statusTag(status),
    ),
  );
}

/** @param {URLSearchParams} query */
function nothing(query) {
  if (query.size > 0) return t("orders.none");
  return [t("orders.empty"), " ", h("a", { href: to() }, t("cure.again"))];
}
