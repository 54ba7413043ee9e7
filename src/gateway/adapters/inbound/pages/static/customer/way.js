/** Draws the steps of an order. It is updated in place, so that the progress is animated. */

import { fill, h } from "../core/dom.js";
import { clock, moment, t } from "../core/language.js";

/**
 * @typedef {import("./steps.js").Step} Step
 * @typedef {import("../core/language.js").Word} Word
 */

/** @returns {{ element: HTMLElement, show: (steps: Step[]) => void }} */
export function way() {
  const element = h("ol", { class: "way", "aria-label": t("way") });
  /** @type {Map<Word, HTMLElement>} */
  let items = new Map();
  /** @param {Step[]} steps */
  const show = (steps) => {
    const before = items;
    items = new Map(steps.map(({ word }) => [word, before.get(word) ?? h("li")]));
    const same = before.size === items.size && [...items.keys()].every((word) => before.has(word));
    if (!same) fill(element, ...items.values());
    for (const { word, state, at } of steps) {
      const item = /** @type {HTMLElement} */ (items.get(word));
      item.className = state;
      const now = [t(word), t(`way.state.${state}`), at ? clock(at) : ""].join("|");
      if (item.dataset.now === now) continue;
      item.dataset.now = now;
      fill(
        item,
        h("span", { class: "step" }, t(word)),
        h("span", { class: "unseen" }, `: ${t(`way.state.${state}`)}`),
        at && h("time", { datetime: at, title: moment(at) }, clock(at)),
      );
    }
  };
  return { element, show };
}
