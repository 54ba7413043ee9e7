/** Keeps parts of a page up to date: reads repeatedly, and changes only the elements that differ. */

import { NoAnswer, Problem } from "../core/api.js";
import { h } from "../core/dom.js";
import { t } from "../core/language.js";
import { pause, repeatedly } from "../core/life.js";
import { refusal } from "../parts/refusal.js";

/** @typedef {import("../core/dom.js").Child} Child */

/** An event of the window: an act was carried out here, so the view is read again at once. */
const ACTED = "shop.acted";

export function acted() {
  dispatchEvent(new Event(ACTED));
}

/**
 * Reads now, then regularly while the window is visible. The first read throws its error. After a later error the
 * page stays as it is, with a notice until a read succeeds.
 *
 * @param {number} everyMs
 * @param {AbortSignal} signal
 * @param {() => Promise<void>} read
 * @returns {Promise<HTMLElement>}  The place of that notice.
 */
export async function live(everyMs, signal, read) {
  const said = h("div", { role: "status" });
  await read();
  const again = async () => {
    try {
      await read();
      morph(said);
    } catch (error) {
      if (signal.aborted || !(error instanceof NoAnswer || error instanceof Problem)) throw error;
      const lost = () => h("p", { class: "notice warn" }, t("connection.lost"));
      morph(said, error instanceof Problem ? refusal(error) : lost());
    }
  };
  addEventListener(ACTED, () => again().catch(() => {}), { signal });
  pause(everyMs, signal).then(
    () => repeatedly(everyMs, signal, again),
    () => {},
  );
  return said;
}

/**
 * Replaces the children of an element, but leaves equal ones alone, so that focus, selection and scrolling stay. It
 * is for children without listeners: a child that stays keeps its first listeners.
 *
 * @param {Element} element
 * @param {...Child} children
 */
export function morph(element, ...children) {
  const wanted = document.createElement("div");
  const there = children.flat().filter((one) => one !== null && one !== undefined && one !== false);
  wanted.append(...there.map((one) => (typeof one === "number" ? String(one) : one)));
  follow(element, wanted);
}

/**
 * @param {Element} element
 * @param {Element} wanted
 */
function follow(element, wanted) {
  const old = [...element.childNodes];
  const made = [...wanted.childNodes];
  made.forEach((node, at) => {
    const own = old[at];
    if (!own) element.append(node);
    else if (own.isEqualNode(node)) return;
    else if (own instanceof Element && node instanceof Element && own.tagName === node.tagName) {
      alike(own, node);
      follow(own, node);
    } else own.replaceWith(node);
  });
  for (const left of old.slice(made.length)) left.remove();
}

/**
 * @param {Element} own
 * @param {Element} wanted
 */
function alike(own, wanted) {
  // The person decides whether a part is unfolded.
  for (const { name } of [...own.attributes])
    if (name !== "open" && !wanted.hasAttribute(name)) own.removeAttribute(name);
  for (const { name, value } of [...wanted.attributes])
    if (own.getAttribute(name) !== value) own.setAttribute(name, value);
}

/**
 * A list whose entries keep their elements as long as they exist, so that a form in them keeps its input.
 *
 * @template T
 * @param {HTMLElement} list
 * @param {(item: T) => string} keyOf
 * @param {(item: T) => { element: HTMLElement, show: (item: T) => void }} make
 * @returns {(items: T[]) => void}
 */
export function keyed(list, keyOf, make) {
  /** @type {Map<string, ReturnType<typeof make>>} */
  const shown = new Map();
  return (items) => {
    const keys = new Set(items.map(keyOf));
    const focused = list.contains(document.activeElement);
    for (const [key, { element }] of shown)
      if (!keys.has(key)) {
        element.remove();
        shown.delete(key);
      }
    items.forEach((item, at) => {
      const key = keyOf(item);
      const entry = shown.get(key) ?? make(item);
      shown.set(key, entry);
      entry.show(item);
      if (list.children[at] !== entry.element) list.insertBefore(entry.element, list.children[at] ?? null);
    });
    // If the focused entry is gone, the focus moves to the first entry, or to the view.
    if (focused && !list.contains(document.activeElement))
      (list.querySelector("summary") ?? document.getElementById("main"))?.focus();
  };
}

/** Announces changes to screen readers. Ages and counts, which change all the time, are not announced. */
export function announcer() {
  const element = h("p", { class: "unseen", role: "status" });
  /** @param {string} text */
  const say = (text) => {
    if (element.textContent !== text) element.textContent = text;
  };
  return { element, say };
}
