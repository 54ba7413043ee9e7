/**
 * The newest orders first, from an API that lists the oldest first. An order's id begins with the ms in which it
 * was placed (UUIDv7, RFC 9562), so a read can begin at any time. The search finds a start time with enough orders
 * after it, but no more than one answer holds.
 */

import { call } from "./api.js";

/**
 * @typedef {import("./api.js").Schemas["Order"]} Order
 * @typedef {{ userId?: string | undefined, status?: Order["status"] | undefined }} Filter
 * @typedef {{ orders: Order[], more: boolean }} Page  The newest first, and whether there are older ones.
 */

const READ_MAX = 500;
const ALWAYS = 0;
const HOUR_MS = 3_600_000;
const YEARS_MS = 10 * 365 * 24 * HOUR_MS;

/**
 * @param {Filter} filter
 * @param {number} count  Orders a page.
 * @returns {(before: string | null, signal: AbortSignal) => Promise<Page>}
 *  Reads the page before an order's id; without an id, the first page. Reading the same page again takes one call.
 */
export function newestFirst(filter, count) {
  let since = ALWAYS;
  let older = true;
  return async (before, signal) => {
    const end = before === null ? Date.now() : msOf(before);
    // After `few` there are too few orders; after `many` there are more than one answer holds.
    let few = end;
    /** @type {number | null} */
    let many = null;
    for (let at = Math.min(since, end); ; at = many === null ? wider(few, end) : between(many, few, end)) {
      const { orders, complete } = await read(filter, at, before, signal);
      const enough = orders.length >= count || at === ALWAYS;
      if ((complete && enough) || (many !== null && few - many < 2)) {
        const page = orders.slice(-count).reverse();
        const last = page.at(-1);
        since = last && page.length === count ? msOf(last.id) : ALWAYS;
        if (at === ALWAYS || orders.length > count) older = orders.length > count;
        return { orders: page, more: older };
      }
      if (complete) few = at;
      else many = at;
    }
  };
}

/**
 * @param {number} few
 * @param {number} end
 */
function wider(few, end) {
  const width = Math.max(end - few, HOUR_MS / 6) * 6;
  return width > YEARS_MS ? ALWAYS : end - width;
}

/**
 * @param {number} many
 * @param {number} few
 * @param {number} end
 */
function between(many, few, end) {
  const at = Math.floor(end - Math.sqrt((end - many) * Math.max(end - few, 1)));
  return few - many > 1 ? Math.max(many + 1, at) : many;
}

/**
 * @param {Filter} filter
 * @param {number} since
 * @param {string | null} before
 * @param {AbortSignal} signal
 * @returns {Promise<{ orders: Order[], complete: boolean }>}  The oldest first.
 */
async function read(filter, since, before, signal) {
  const after = since === ALWAYS ? undefined : firstIdOf(since);
  const { data, next } = await call("get", "/orders", {
    query: { ...filter, limit: READ_MAX, after },
    signal,
  });
  const orders = before === null ? data : data.filter((order) => order.id < before);
  return { orders, complete: next === null || orders.length < data.length };
}

/** @param {string} id */
function msOf(id) {
  return Number.parseInt(id.replace("-", "").slice(0, 12), 16);
}

/** @param {number} ms */
function firstIdOf(ms) {
  const time = ms.toString(16).padStart(12, "0");
  return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-000000000000`;
}
