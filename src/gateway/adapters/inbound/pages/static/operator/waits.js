/** What an order waits for, since and until when, and what an operator can do about it. */

import { h } from "../core/dom.js";
import { t } from "../core/language.js";
import { ago, span, time } from "./times.js";
import { mendText, waitTitle } from "./wording.js";

/**
 * @typedef {import("../core/api.js").Schemas["ExplainedOrder"]} Explained
 * @typedef {import("../core/api.js").Schemas["Wait"]} Wait
 */

/** @param {Explained} explained */
export function waitCard({ status, unknown, waits }) {
  if (waits.length === 0) {
    const calm = status === null ? "op.waits.damaged" : "op.waits.none";
    return h("p", { class: "notice" }, t(unknown.includes("orders") ? "op.waits.unknown" : calm));
  }
  return h(
    "section",
    { class: "notice warn waits" },
    h("h2", {}, t("op.waits")),
    h("ol", { class: "points" }, ...waits.map(told)),
  );
}

/** @param {Wait} wait */
function told(wait) {
  const todo = mendText(wait.why);
  const until = wait.until ? (Date.parse(wait.until) - Date.now()) / 1000 : null;
  return h(
    "li",
    {},
    h("p", {}, h("b", {}, waitTitle(wait))),
    todo && h("p", {}, todo),
    h(
      "p",
      { class: "small" },
      wait.since && h("span", {}, `${t("op.since")} `, time(wait.since), " (", ago(wait.since), "). "),
      until !== null && (until > 0 ? t("op.until", { span: span(until) }) : t("op.until.now")),
    ),
    wait.detail && h("p", { class: "small free" }, wait.detail),
  );
}
