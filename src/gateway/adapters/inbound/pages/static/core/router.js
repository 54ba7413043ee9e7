/**
 * The address of what is shown stands behind the `#`: the back button, a reload and a link keep it, and the
 * server needs one route.
 *
 * @typedef {import("./session.js").Session} Session
 * @typedef {import("./language.js").Word} Word
 * @typedef {{ params: string[], query: URLSearchParams, session: Session, signal: AbortSignal,
 *   again: () => void }} Context  `again` shows the view anew.
 * @typedef {(context: Context) => Element | Promise<Element>} View
 * @typedef {{ path: RegExp, load: () => Promise<{ default: View }>, nav: Word, open?: boolean }} Route
 *   `nav` names the link of the menu that the route belongs to. `open`: it is there in open mode only.
 */

import { CUSTOMER } from "../customer/routes.js";
import { OPERATOR } from "../operator/routes.js";

/** The route of the current address, with what the address says. */
export function located() {
  const [path = "", search = ""] = location.hash.replace(/^#\/?/, "").split("?");
  for (const route of [...CUSTOMER, ...OPERATOR]) {
    const found = route.path.exec(path);
    if (found) return { route, params: found.slice(1).map(decoded), query: new URLSearchParams(search) };
  }
  return null;
}

/** @param {string} part  Of an address; what was typed by hand may be no such code. */
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
 * An address with what a view is asked for behind it; what is empty is left out.
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
 * @param {{ instead?: boolean }} [options]  `instead`: the back button does not find what is shown now.
 */
export function go(address, { instead = false } = {}) {
  if (instead) location.replace(`${location.pathname}${location.search}${address}`);
  else location.hash = address;
}
