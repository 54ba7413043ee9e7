/**
 * Lifetimes and pauses. A view gets an AbortSignal that ends when the person leaves the view. All that the view
 * started (calls, timers, streams, listeners) ends with the signal.
 */

import { NoAnswer, Problem } from "./api.js";
import { reporter } from "./connection.js";

/**
 * @param {number} ms
 * @param {AbortSignal} signal
 * @param {{ early?: boolean }} [options]  `early`: ends as soon as the browser is online again.
 * @returns {Promise<void>}  Rejects with an AbortError once the signal ends.
 */
export function pause(ms, signal, { early = false } = {}) {
  return new Promise((resolve, reject) => {
    /** @param {() => void} how */
    const settle = (how) => {
      clearTimeout(timer);
      signal.removeEventListener("abort", ended);
      removeEventListener("online", done);
      how();
    };
    const done = () => settle(resolve);
    const ended = () => settle(() => reject(new DOMException("", "AbortError")));
    const timer = setTimeout(done, ms);
    if (early) addEventListener("online", done);
    signal.addEventListener("abort", ended);
    if (signal.aborted) ended();
  });
}

/**
 * Waits before the next try after a failure: as long as the shop asked for, otherwise longer each time.
 *
 * @param {number} tries  How many tries were repeated already.
 * @param {unknown} error  The error of the last try.
 * @param {AbortSignal} signal
 */
export function pauseAfter(tries, error, signal) {
  const retryAfterS = error instanceof Problem ? error.retryAfterS : null;
  return pause(backoffMs(tries, retryAfterS), signal, { early: retryAfterS === null });
}

/**
 * Whether the same read may succeed later: there was no answer, there were too many calls, or a service was away.
 *
 * @param {unknown} error
 */
export function passes(error) {
  if (error instanceof Problem) return error.status === 429 || error.status >= 500;
  return error instanceof NoAnswer;
}

/**
 * Resolves once the window is visible.
 *
 * @param {AbortSignal} signal
 * @returns {Promise<void>}
 */
export function inSight(signal) {
  if (!document.hidden) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const seen = () => !document.hidden && settle(resolve);
    const ended = () => settle(() => reject(new DOMException("", "AbortError")));
    /** @param {() => void} how */
    const settle = (how) => {
      document.removeEventListener("visibilitychange", seen);
      signal.removeEventListener("abort", ended);
      how();
    };
    document.addEventListener("visibilitychange", seen);
    signal.addEventListener("abort", ended);
  });
}

/**
 * A signal that ends with `signal`, or when the window is hidden.
 *
 * @param {AbortSignal} signal
 */
export function whileInSight(signal) {
  const own = new AbortController();
  document.addEventListener("visibilitychange", () => document.hidden && own.abort(), { signal: own.signal });
  return AbortSignal.any([signal, own.signal]);
}

/**
 * Repeats `act` while the window is visible, until the signal ends. Without an answer, the shell shows that, and
 * `act` is tried again. A refusal ends the repetition without a message: the view shows the refusal at its next
 * call.
 *
 * @param {number} everyMs
 * @param {AbortSignal} signal
 * @param {() => Promise<void>} act
 */
export async function repeatedly(everyMs, signal, act) {
  const report = reporter(signal);
  try {
    for (let tries = 0; ; ) {
      await inSight(signal);
      try {
        await act();
        report(null);
        tries = 0;
        await pause(everyMs, signal);
      } catch (error) {
        if (!passes(error)) throw error;
        report(error);
        await pauseAfter(tries++, error, signal);
      }
    }
  } catch (error) {
    if (!signal.aborted && !(error instanceof Problem)) throw error;
  }
}

/**
 * The wait before try number `n` (from 0), in ms: up to 15 s, random so that many windows do not come back at
 * once, and never shorter than the server asked for.
 *
 * @param {number} n
 * @param {number | null} retryAfterS
 */
export function backoffMs(n, retryAfterS) {
  const most = Math.min(15_000, 500 * 2 ** n);
  return (retryAfterS ?? 0) * 1000 + most * (0.5 + Math.random() / 2);
}
