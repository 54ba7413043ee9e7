/** Links between the pages of a list. The place is kept in the address, so the back button works. */

import { h } from "../core/dom.js";
import { t } from "../core/language.js";
import { asked } from "../core/router.js";

/**
 * @param {string} address  Of the view.
 * @param {URLSearchParams} query  The query of the view; `after` is the place in the list.
 * @param {{ first: import("../core/language.js").Word, next: import("../core/language.js").Word,
 *   after: string | null }} pages  The words of the links, and the place of the next page, null on the last.
 */
export function pager(address, query, { first, next, after }) {
  const kept = Object.fromEntries(query);
  const began = query.has("after");
  return h(
    "nav",
    { class: "pager", "aria-label": t("pages") },
    began && h("a", { class: "button second", href: asked(address, { ...kept, after: null }) }, t(first)),
    after !== null && h("a", { class: "button second", href: asked(address, { ...kept, after }) }, t(next)),
  );
}
