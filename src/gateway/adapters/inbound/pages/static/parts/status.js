/** The status of an order as a tag: a word and a sign, never a colour alone. */

import { h } from "../core/dom.js";
import { t } from "../core/language.js";

/** @typedef {import("../core/api.js").Schemas["Order"]["status"]} Status */

/** @type {Status[]} */
export const STATUSES = ["NEW", "FINISHED", "CANCELLED", "REFUNDING", "REFUNDED"];

/** @type {Record<Status, [tone: string, sign: string]>} */
const SHOWN = {
  NEW: ["", "…"],
  FINISHED: ["good", "✓"],
  CANCELLED: ["bad", "✕"],
  REFUNDING: ["", "…"],
  REFUNDED: ["calm", "↩"],
};

/** @param {Status} status  A newer service may have others, which are shown as they are. */
export function statusTag(status) {
  const [tone, sign] = SHOWN[status] ?? ["calm", "?"];
  return h(
    "span",
    { class: `tag ${tone}` },
    h("span", { "aria-hidden": "true" }, sign),
    t(`status.${status}`),
  );
}
