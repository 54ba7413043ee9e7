/** Asks for confirmation before a change that cannot be undone. */

import { h } from "../core/dom.js";
import { t } from "../core/language.js";
import { once } from "./form.js";

/**
 * A button that opens a question. Escape and "keep" close it, and the focus goes back to the button.
 *
 * @param {{ action: string, question: string, text: string,
 *   answer: (close: () => void) => HTMLElement }} ask
 *   `answer` makes the element that confirms, usually a form whose `done` calls `close`.
 * @returns {HTMLElement}
 */
export function ask({ action, question, text, answer }) {
  const titleId = `ask.${crypto.getRandomValues(new Uint32Array(1))[0]}`;
  const close = () => dialog.close();
  const dialog = h("dialog", {
    class: "ask",
    "aria-labelledby": titleId,
    onclose: () => dialog.replaceChildren(),
  });
  const open = (/** @type {MouseEvent} */ event) => {
    once(event);
    if (event.defaultPrevented) return;
    dialog.replaceChildren(
      h("h2", { id: titleId }, question),
      h("p", {}, text),
      h(
        "div",
        { class: "row" },
        answer(close),
        h(
          "button",
          { type: "button", class: "button second", autofocus: true, onclick: close },
          t("ask.keep"),
        ),
      ),
    );
    dialog.showModal();
  };
  return h("div", {}, h("button", { type: "button", class: "button danger", onclick: open }, action), dialog);
}
