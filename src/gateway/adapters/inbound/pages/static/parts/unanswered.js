/** The notices of a form about a change whose outcome is not known. */

import { Problem } from "../core/api.js";
import { fill, h } from "../core/dom.js";
import { moment, t } from "../core/language.js";

/**
 * @param {Element} said  The place of the notice that there is no answer yet.
 * @param {() => void} stop  Called when the person does not want to wait any more.
 * @returns {(error: unknown) => void}  Call it with the error for which the change is sent again.
 */
export function waiting(said, stop) {
  let told = "";
  return (error) => {
    const word = error instanceof Problem && error.status === 429 ? "form.busy" : "form.again";
    // The same notice stays, with the focus on its button.
    if (word === told) return;
    told = word;
    fill(said, h("div", { class: "notice warn" }, h("p", {}, t(word)), choice("form.stop", stop)));
  };
}

/** The notice after the person has given up. */
export function givenUp() {
  return h("p", { class: "notice warn" }, t("form.stopped"));
}

/**
 * The question to a person who comes back much later.
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
