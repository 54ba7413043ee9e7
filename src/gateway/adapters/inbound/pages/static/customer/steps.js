/**
 * The steps of an order, derived only from answers of the shop: the order, its history, and the lines of the
 * statement that name it. The public API does not say when a message was published; an answer of payments proves
 * that it was.
 */

/**
 * @typedef {import("../core/api.js").Schemas["Order"]} Order
 * @typedef {import("../core/language.js").Word} Word
 * @typedef {{ status: Order["status"], at: string }} Change
 * @typedef {{ order: Order, changes: Change[], charged: string | null, returned: string | null }} Known
 *   `charged` and `returned` are the times of the statement's lines.
 * @typedef {"done" | "now" | "wait" | "bad"} State
 * @typedef {{ word: Word, state: State, at?: string | null | undefined }} Step
 */

/** The reasons for which payments declines; so the order has reached payments. */
const DECLINED = new Set([
  "insufficient_funds",
  "account_not_found",
  "currency_mismatch",
  "expired",
  "account_frozen",
]);

/**
 * @param {Known} known
 * @returns {Step[]}
 */
export function stepsOf(known) {
  const { order, changes, charged } = known;
  /** @param {Order["status"]} status */
  const at = (status) => changes.find((change) => change.status === status)?.at;
  /** @type {Step} */
  const accepted = { word: "way.accepted", state: "done", at: order.createdAt };
  if (order.status === "CANCELLED") return [accepted, ...cancelled(order, at("CANCELLED"))];
  const paid = order.status !== "NEW";
  const taken = paid || charged !== null;
  /** @type {Step[]} */
  const steps = [
    accepted,
    { word: "way.published", state: taken ? "done" : "now" },
    { word: "way.charged", state: taken ? "done" : "wait", at: charged },
    { word: "way.settled", state: paid ? "done" : taken ? "now" : "wait", at: at("FINISHED") },
  ];
  return order.status === "REFUNDING" || order.status === "REFUNDED"
    ? [...steps, ...refunded(known, at)]
    : steps;
}

/**
 * @param {Order} order
 * @param {string | undefined} at
 * @returns {Step[]}
 */
function cancelled({ reason }, at) {
  /** @type {Step} */
  const end = { word: "way.cancelled", state: "bad", at };
  if (!DECLINED.has(reason ?? "")) return [end];
  return [{ word: "way.published", state: "done" }, { word: "way.declined", state: "bad" }, end];
}

/**
 * @param {Known} known
 * @param {(status: Order["status"]) => string | undefined} at
 * @returns {Step[]}
 */
function refunded({ order, returned }, at) {
  const over = order.status === "REFUNDED";
  const back = over || returned !== null;
  return [
    { word: "way.refund", state: "done", at: at("REFUNDING") },
    { word: "way.returned", state: back ? "done" : "now", at: returned },
    { word: "way.refunded", state: over ? "done" : back ? "now" : "wait", at: at("REFUNDED") },
  ];
}
