/** Reads the lines of a statement, and finds in them when an order was charged and refunded. */

import { call } from "../core/api.js";

/** @typedef {import("../core/api.js").Schemas["Order"]} Order */

const LIMIT = 100;
/** How many pages are searched. An order whose lines are further back is shown without these times. */
const PAGES_MAX = 5;

/**
 * A page of a statement, newest first.
 *
 * @param {string} userId
 * @param {number} limit
 * @param {string | null} after  The sequence of the last line of the page before.
 * @param {AbortSignal} signal
 */
export function statement(userId, limit, after, signal) {
  const place = after === null ? {} : { after: Number(after) };
  const query = { limit, ...place };
  return call("get", "/accounts/{userId}/transactions", { path: { userId }, query, signal });
}

/**
 * @param {Order} order
 * @param {AbortSignal} signal
 * @returns {Promise<{ charged: string | null, returned: string | null }>}  The times of its lines, or null.
 */
export async function linesOf({ id, userId, createdAt }, signal) {
  /** @type {{ charged: string | null, returned: string | null }} */
  const found = { charged: null, returned: null };
  /** @type {string | null} */
  let after = null;
  for (let page = 0; page < PAGES_MAX && found.charged === null; page += 1) {
    const { data, next } = await statement(userId, LIMIT, after, signal);
    for (const line of data.filter(({ orderId }) => orderId === id)) {
      if (line.kind === "capture") found.charged = line.createdAt;
      if (line.kind === "refund") found.returned = line.createdAt;
    }
    const oldest = data.at(-1);
    if (next === null || (oldest && Date.parse(oldest.createdAt) < Date.parse(createdAt))) break;
    after = next;
  }
  return found;
}
