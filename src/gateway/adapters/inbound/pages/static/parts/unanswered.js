/** What a form says about a change of which it is not known whether it happened. */

import { Problem } from "../core/api.js";
import { fill, h } from "../core/dom.js";
import { moment, t } from "../core/language.js";

/**
 * @param {Element} said  Where it is said that there is no answer yet.
 * @param {() => void} stop  Is called when the person does not want to wait any more.
 * @returns {(error: unknown) => void}  Tell it why it is sent again.
 */
export function waiting(said, stop) {
  let told = "";
  return (error) => {
    const word = error instanceof Problem && error.status === 429 ? "form.busy" : "form.again";
    // What was said before stays, with the focus on its button.
    if (word === told) return;
    told = word;
    fill(said, h("div", { class: "notice warn" }, h("p", {}, t(word)), choice("form.stop", stop)));
  };
}

/** After that, nothing is sent any more. */
export function givenUp() {
  return h("p", { class: "notice warn" }, t("form.stopped"));
}

/**
 * Asks whoever comes back much later.
 *
 * @param {number} at  When it was sent, in ms.
 * @param {() => void} again
 * @param {() => void} stop
 */
export function unanswered(at, again, stop) {
  const text = t("form.unanswered", { at: moment(new Date(at).toISOString()) });
  return h(
    "div",
    { class: "notice warn" },
    h("p", {}, text),
    h("p", { class: "row" }, choice("form.resend", again), choice("form.stop", stop)),
  );
}

/**
 * @param {import("../core/language.js").Word} word
 * @param {() => void} chosen
 */
function choice(word, chosen) {
  return h("button", { type: "button", class: "button second", onclick: chosen }, t(word));
}
