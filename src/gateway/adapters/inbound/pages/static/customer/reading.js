/** Reads one order of the user. */

import { call, Problem } from "../core/api.js";

/** @typedef {import("../core/api.js").Schemas["Order"]} Order */

/**
 * Another user's order looks exactly like one that does not exist.
 *
 * @param {string} id
 * @param {string} userId
 * @param {AbortSignal} signal
 * @returns {Promise<Order | null>}
 */
export async function ownOrder(id, userId, signal) {
  try {
    const { data } = await call("get", "/orders/{id}", { path: { id }, signal });
    return data.userId === userId ? data : null;
  } catch (error) {
    if (error instanceof Problem && (error.status === 404 || error.status === 400)) return null;
    throw error;
  }
}

/**
 * An order and its history at the same moment. The order may change between the two reads.
 *
 * @param {Order} order
 * @param {AbortSignal} signal
 * @returns {Promise<{ order: Order, changes: import("./steps.js").Change[], sequence: number }>}
 */
export async function withHistory(order, signal) {
  const path = { id: order.id };
  const { data: changes } = await call("get", "/orders/{id}/history", { path, signal });
  const last = changes.at(-1);
  if (last?.status === order.status) return { order, changes, sequence: last.sequence };
  const { data } = await call("get", "/orders/{id}", { path, signal });
  return withHistory(data, signal);
}
