/**
 * Builds elements by calls, never from strings of HTML, so text cannot become markup.
 *
 * @typedef {Node | string | number | null | undefined | false} One
 * @typedef {One | One[]} Child
 * @typedef {Record<string, string | number | boolean | null | undefined | ((event: any) => void)>} Props
 */

const SVG = "http://www.w3.org/2000/svg";
/** @type {WeakMap<Element, string>} */
const versions = new WeakMap();

/**
 * Makes an HTML element. A property `on…` is a listener. Any other property is an attribute; `true` sets it and
 * `false` leaves it out.
 *
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Props} [props]
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function h(tag, props = {}, ...children) {
  return filled(document.createElement(tag), props, children);
}

/**
 * Makes an SVG element, as `h` makes an HTML element.
 *
 * @param {string} tag
 * @param {Props} [props]
 * @param {...Child} children
 * @returns {SVGElement}
 */
export function s(tag, props = {}, ...children) {
  return filled(/** @type {SVGElement} */ (document.createElementNS(SVG, tag)), props, children);
}

/**
 * @template {Element} E
 * @param {E} element
 * @param {Props} props
 * @param {Child[]} children
 * @returns {E}
 */
function filled(element, props, children) {
  for (const [name, value] of Object.entries(props)) {
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined)
      element.setAttribute(name, String(value));
  }
  element.append(...nodes(children));
  return element;
}

/**
 * Replaces the children of an element.
 *
 * @param {Element} element
 * @param {...Child} children
 */
export function fill(element, ...children) {
  element.replaceChildren(...nodes(children));
}

/**
 * Updates a list. An element whose key is still there stays, with the focus in it.
 *
 * @template T
 * @param {Element} parent
 * @param {T[]} items
 * @param {(item: T) => string} keyOf
 * @param {(item: T) => HTMLElement} build
 */
export function refill(parent, items, keyOf, build) {
  const before = /** @type {Map<string, HTMLElement>} */ (
    new Map([...parent.children].map((child) => [/** @type {HTMLElement} */ (child).dataset.key, child]))
  );
  const wanted = items.map((item) => {
    const shown = before.get(keyOf(item));
    const version = JSON.stringify(item);
    if (shown && versions.get(shown) === version) return shown;
    const element = build(item);
    element.dataset.key = keyOf(item);
    versions.set(element, version);
    if (shown?.contains(document.activeElement)) queueMicrotask(() => element.querySelector("a")?.focus());
    return element;
  });
  for (const child of [...parent.children])
    if (!wanted.includes(/** @type {HTMLElement} */ (child))) child.remove();
  for (const [at, element] of wanted.entries())
    if (parent.children[at] !== element) parent.insertBefore(element, parent.children[at] ?? null);
}

/**
 * @param {Child[]} children
 * @returns {(Node | string)[]}
 */
function nodes(children) {
  const there = children.flat().filter((one) => one !== null && one !== undefined && one !== false);
  return there.map((one) => (typeof one === "number" ? String(one) : one));
}
