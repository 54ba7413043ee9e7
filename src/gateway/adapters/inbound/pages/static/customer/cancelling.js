/** The forms that cancel an unpaid order and refund a paid one. */

import { call } from "../core/api.js";
import { fill, h } from "../core/dom.js";
import { t } from "../core/language.js";
import { to } from "../core/router.js";
import { placeOf } from "../core/session.js";
import { ask } from "../parts/ask.js";
import { form } from "../parts/form.js";

/** @typedef {import("../core/api.js").Schemas["Order"]} Order */

/**
 * @param {Order} order
 * @param {AbortSignal} signal
 * @param {(order: Order) => void} changed  Called with the shop's answer.
 */
export function cancelling({ id }, signal, changed) {
  // The answer to a cancellation is the order, still NEW, so this window remembers that it asked.
  const kept = placeOf(`asked.${id}`);
  const news = h("div", { role: "status" });
  const acts = h("div", { class: "row" });
  let shown = "";

  /** @param {"cancel" | "refund"} what */
  const button = (what) =>
    ask({
      action: t(`${what}.go`),
      question: t(`${what}.question`),
      text: t(`${what}.text`),
      answer: (close) =>
        form({
          name: `cancel.${id}`,
          fields: [],
          secret: true,
          action: t(`${what}.yes`),
          tone: "danger",
          send: () => call("post", "/orders/{id}/cancel", { path: { id } }),
          done: ({ data }) => {
            sessionStorage.setItem(kept, "yes");
            close();
            changed(data);
          },
          signal,
        }),
    });

  /** @param {Order} order */
  const show = ({ status }) => {
    const asked = status === "NEW" && sessionStorage.getItem(kept) !== null;
    const now = `${status} ${asked}`;
    if (now === shown) return;
    const held = acts.contains(document.activeElement);
    shown = now;
    fill(news, asked && h("p", { class: "notice" }, t("cancel.asked")));
    fill(
      acts,
      h("a", { class: "button", href: to() }, t("order.more")),
      status === "NEW" && !asked && button("cancel"),
      status === "FINISHED" && button("refund"),
    );
    if (held) /** @type {HTMLElement} */ (acts.firstElementChild).focus();
  };
  return { element: h("div", { class: "stack" }, news, acts), show };
}
