/** Parts of a page that are read again and again, of which only what differs is touched. */

import { NoAnswer, Problem } from "../core/api.js";
import { h } from "../core/dom.js";
import { t } from "../core/language.js";
import { pause, repeatedly } from "../core/life.js";
import { refusal } from "../parts/refusal.js";

/** @typedef {import("../core/dom.js").Child} Child */

/** An event of the window: something was done here, so what is shown is to be read at once. */
const ACTED = "shop.acted";

export function acted() {
  dispatchEvent(new Event(ACTED));
}

/**
 * Reads now, then every so often while the window is in sight. The first read throws what it meets; later ones
 * leave the page as it is and say so until one succeeds.
 *
 * @param {number} everyMs
 * @param {AbortSignal} signal
 * @param {() => Promise<void>} read
 * @returns {Promise<HTMLElement>}  Where it says that the connection is lost.
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
 * Makes the inside of an element what is given, and leaves alone what is equal already, so that focus, selection
 * and scrolling stay. For elements without listeners: those of an element that stays are the first ones.
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
  // Whether a part is folded out is the person's own choice.
  for (const { name } of [...own.attributes])
    if (name !== "open" && !wanted.hasAttribute(name)) own.removeAttribute(name);
  for (const { name, value } of [...wanted.attributes])
    if (own.getAttribute(name) !== value) own.setAttribute(name, value);
}

/**
 * A list whose entries keep their element, with forms that somebody fills in, as long as they are there.
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
    // Whoever stood on what is gone now goes on with what took its place.
    if (focused && !list.contains(document.activeElement))
      (list.querySelector("summary") ?? document.getElementById("main"))?.focus();
  };
}

/** Tells those who do not look that something is different now. Ages and counts that go on are not told. */
export function announcer() {
  const element = h("p", { class: "unseen", role: "status" });
  /** @param {string} text */
  const say = (text) => {
    if (element.textContent !== text) element.textContent = text;
  };
  return { element, say };
}
