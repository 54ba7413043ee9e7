/** The frame of every operators' view: the menu, the search, and a note that viewers may change nothing. */

import { h } from "../core/dom.js";
import { t } from "../core/language.js";
import { asked, go, to } from "../core/router.js";
import { form } from "../parts/form.js";
import { fault } from "./act.js";

/**
 * @typedef {import("../core/router.js").Context} Context
 * @typedef {import("../core/router.js").View} View
 * @typedef {import("../core/dom.js").Child} Child
 * @typedef {import("../core/language.js").Word} Word
 */

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const USER = /^[A-Za-z0-9][A-Za-z0-9._@|:-]{0,127}$/;

/** @type {[word: Word, place: string][]} */
const PLACES = [
  ["op.pulse", ""],
  ["op.orders", "orders"],
  ["op.messages", "messages"],
  ["op.consumers", "consumers"],
  ["op.audit", "audit"],
  ["op.record", "record"],
];

/**
 * Wraps a view so that only operators and viewers see it.
 *
 * @param {View} view
 * @returns {View}
 */
export function staff(view) {
  return (context) =>
    context.session.maySee
      ? view(context)
      : h("section", {}, h("h1", {}, t("op.staff")), h("p", {}, t("op.staff.text")));
}

/**
 * @param {Context} context
 * @param {string} title
 * @param {...Child} children
 */
export function frame({ session, signal }, title, ...children) {
  const own = location.hash.split(/[/?]/)[2] ?? "";
  const here = { customers: "orders", operations: "messages" }[own] ?? own;
  const link = (/** @type {Word} */ word, /** @type {string} */ place) =>
    h(
      "a",
      { href: place ? to("operator", place) : to("operator"), "aria-current": place === here && "page" },
      t(word),
    );
  return h(
    "section",
    { class: "operator" },
    h(
      "div",
      { class: "desk" },
      h(
        "nav",
        { class: "places", "aria-label": t("op.nav") },
        ...PLACES.map(([word, place]) => link(word, place)),
      ),
      h("search", {}, search(signal)),
    ),
    h("h1", {}, title),
    !session.mayOperate && h("p", { class: "notice" }, t("op.viewer")),
    ...children,
  );
}

/** @param {AbortSignal} signal */
function search(signal) {
  return form({
    name: "operator.search",
    fields: [{ name: "q", label: t("op.search"), attributes: { type: "search", spellcheck: "false" } }],
    action: t("op.search.go"),
    send: async ({ q = "" }) => q,
    done: (q) => {
      if (!USER.test(q)) throw fault({ field: "q", message: t("op.search.bad") });
      go(UUID.test(q) ? to("operator", "orders", q.toLowerCase()) : to("operator", "customers", q));
    },
    signal,
  });
}

/** @param {string} text */
export function isId(text) {
  return UUID.test(text);
}

/** @param {string} id */
export function orderLink(id) {
  return h("a", { class: "id", href: to("operator", "orders", id) }, id);
}

/** @param {string} userId */
export function userLink(userId) {
  return h("a", { class: "free", href: to("operator", "customers", userId) }, userId);
}

/**
 * A list of names and values.
 *
 * @param {...([name: string, ...value: Child[]] | false)} lines
 */
export function facts(...lines) {
  const told = lines.filter((line) => line !== false);
  return h(
    "dl",
    { class: "facts" },
    ...told.map(([name, ...value]) => h("div", {}, h("dt", {}, name), h("dd", { class: "free" }, ...value))),
  );
}

/**
 * Links to the first page and to the next one.
 *
 * @param {string} address
 * @param {Record<string, string>} query  The query of the current page.
 * @param {string | null | undefined} next
 * @param {Word} [further]
 */
export function pages(address, query, next, further = "op.further") {
  const links = [
    query.after && h("a", { href: asked(address, { ...query, after: null }) }, t("op.first")),
    next && h("a", { href: asked(address, { ...query, after: next }) }, t(further)),
  ];
  return links.some(Boolean) && h("p", { class: "row" }, links);
}

/**
 * @param {string[]} unknown  Names of parts that did not answer.
 * @param {Record<string, string>} [causes]
 */
export function unknownNotice(unknown, causes = {}) {
  const told = unknown.map((part) => [partName(part), causes[part]].filter(Boolean).join(" – "));
  return unknown.length > 0 && h("p", { class: "notice warn" }, t("op.unknown", { parts: told.join("; ") }));
}

/** @param {string} part */
export function partName(part) {
  /** @type {Record<string, Word>} */
  const words = {
    series: "op.part.series",
    audit: "op.part.audit",
    orders: "op.part.orders",
    payments: "op.part.payments",
  };
  const word = words[part];
  return word ? t(word) : part;
}
