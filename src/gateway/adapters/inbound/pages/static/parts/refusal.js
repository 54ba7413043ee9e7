/** Refusals in plain words, with what to do. */

import { h } from "../core/dom.js";
import { isWord, t } from "../core/language.js";
import { to } from "../core/router.js";

/**
 * @typedef {import("../core/language.js").Word} Word
 * @typedef {{ [code: string]: Word }} OwnWords  The text of a code in one place, where it differs from the general text.
 */

/**
 * @param {import("../core/api.js").Problem} problem
 * @param {OwnWords} [own]
 * @returns {HTMLElement}
 */
export function refusal(problem, own = {}) {
  const known = `problem.${problem.code}`;
  const word = own[problem.code] ?? (isWord(known) ? known : null);
  const blamed = problem.errors.map((error) => h("li", {}, `${error.field}: ${error.message}`));
  return h(
    "div",
    { class: "notice bad" },
    h("p", {}, word ? t(word) : problem.message),
    blamed.length > 0 && h("ul", {}, blamed),
    cure(problem.code),
  );
}

/** @param {string | null} reason  Of a cancelled order. */
export function reasonText(reason) {
  const known = `reason.${reason}`;
  return isWord(known) ? t(known) : (reason ?? "");
}

/**
 * A link to the place where the person can do something about it.
 *
 * @param {string | null} code  Of a problem, or the reason of a cancelled order.
 */
export function cure(code) {
  if (code === "insufficient_funds") return depositLink();
  if (code === "account_not_found") return h("p", {}, h("a", { href: to("account") }, t("cure.open")));
  if (code === "expired") return h("p", {}, h("a", { href: to() }, t("cure.again")));
  return null;
}

function depositLink() {
  const toForm = (/** @type {Event} */ event) => {
    const here = /** @type {HTMLInputElement | null} */ (document.querySelector("[data-deposit]"));
    if (!here) return;
    event.preventDefault();
    here.focus();
    here.select();
  };
  return h("p", {}, h("a", { href: `${to("account")}?deposit=1`, onclick: toForm }, t("cure.deposit")));
}
