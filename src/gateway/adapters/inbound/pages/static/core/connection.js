/**
 * Knows whether the shop answers. Views that read repeatedly report it here, and the shell shows it.
 *
 * @typedef {"well" | "lost" | "busy"} State  `busy`: the shop answers that there are too many calls now.
 */

import { Problem } from "./api.js";

/** @type {Map<symbol, State>} */
const reports = new Map();
/** @type {Set<(state: State) => void>} */
const listeners = new Set();
/** @type {State} */
let told = "well";

/**
 * @param {AbortSignal} signal  Once it ends, this reporter no longer counts.
 * @returns {(error: unknown) => void}  Call it with the error, or with null after an answer.
 */
export function reporter(signal) {
  const source = Symbol();
  signal.addEventListener("abort", () => report(source, "well"), { once: true });
  return (error) => {
    if (signal.aborted) return;
    report(source, error === null ? "well" : stateOf(error));
  };
}

/** @param {(state: State) => void} changed  Called when the state has changed. */
export function onConnection(changed) {
  listeners.add(changed);
}

/** @param {unknown} error */
function stateOf(error) {
  return error instanceof Problem && error.status === 429 ? "busy" : "lost";
}

/**
 * @param {symbol} source
 * @param {State} state
 */
function report(source, state) {
  if (state === "well") reports.delete(source);
  else reports.set(source, state);
  const states = [...reports.values()];
  const now = states.find((one) => one === "lost") ?? states[0] ?? "well";
  if (now === told) return;
  told = now;
  for (const changed of listeners) changed(now);
}
