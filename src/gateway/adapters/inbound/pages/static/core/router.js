/**
 * The address of the view stands behind the `#`. So the back button, a reload and links work, and the server needs
 * only one route.
 *
 * @typedef {import("./session.js").Session} Session
 * @typedef {import("./language.js").Word} Word
 * @typedef {{ params: string[], query: URLSearchParams, session: Session, signal: AbortSignal,
 *   again: () => void }} Context  `again` shows the view again.
 * @typedef {(context: Context) => Element | Promise<Element>} View
 * @typedef {{ path: RegExp, load: () => Promise<{ default: View }>, nav: Word, open?: boolean }} Route
 *   `nav` names the menu link that the route belongs to. `open`: the route exists in open mode only.
 */

import { CUSTOMER } from "../customer/routes.js";
import { OPERATOR } from "../operator/routes.js";

/** The route of the current address, with the address's parameters. */
export function located() {
  const [path = "", search = ""] = location.hash.replace(/^#\/?/, "").split("?");
  for (const route of [...CUSTOMER, ...OPERATOR]) {
    const found = route.path.exec(path);
    if (found) return { route, params: found.slice(1).map(decoded), query: new URLSearchParams(search) };
  }
  return null;
}

/** @param {string} part  Of an address. When it was typed by hand, it may be wrongly encoded. */
function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/**
 * The address of a view, for `href`.
 *
 * @param {...string} parts
 */
export function to(...parts) {
  return `#/${parts.map(encodeURIComponent).join("/")}`;
}

/**
 * An address with a query. Empty values are left out.
 *
 * @param {string} address  As `to` makes it.
 * @param {Record<string, string | null | undefined>} query
 */
export function asked(address, query) {
  const given = Object.entries(query).flatMap(([name, value]) => (value ? [[name, value]] : []));
  return given.length > 0 ? `${address}?${new URLSearchParams(given)}` : address;
}

/**
 * @param {string} address  As `to` makes it.
 * @param {{ instead?: boolean }} [options]  `instead`: replaces the current address, so the back button skips it.
 */
export function go(address, { instead = false } = {}) {
  if (instead) location.replace(`${location.pathname}${location.search}${address}`);
  else location.hash = address;
}
