/** Makes the addresses of calls, and reads the address of the next page. */

import { Problem } from "./api.js";

/**
 * @param {keyof import("#gateway").paths} path
 * @param {Record<string, unknown> | undefined} values
 * @param {Record<string, unknown>} [query]
 * @returns {string}  Relative to the base of the page, which knows the prefix that a proxy puts before us.
 */
export function urlOf(path, values, query = {}) {
  const filled = path.slice(1).replace(/\{(\w+)\}/g, (_, name) => partOf(String(values?.[name])));
  const given = Object.entries(query).filter(
    ([, value]) => value !== undefined && value !== null && value !== "",
  );
  const search = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
  return search ? `${filled}?${search}` : filled;
}

/**
 * @param {string} value
 * @returns {string}  The value, encoded as a part of a path. Browsers take `.` and `..` for folders, also when they
 *   are encoded, so a value like that names nothing.
 */
function partOf(value) {
  if (/^\.{1,2}$/.test(value)) throw new Problem(404, { code: "not_found" }, null);
  return encodeURIComponent(value);
}

/** Where the next page begins, null on the last one. @param {Response} response */
export function nextOf(response) {
  const link = /<([^>]*)>; *rel="?next"?/.exec(response.headers.get("Link") ?? "");
  return link ? new URL(link[1] ?? "", document.baseURI).searchParams.get("after") : null;
}
