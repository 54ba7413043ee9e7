/**
 * Changes that happen once, however often they are sent.
 *
 * A change gets its Idempotency-Key when its form is opened. While it is not known whether it happened, it lies
 * in the storage of the window, in the name of whoever sent it, so a reload sends it again under the same key. It
 * is sent again, under the same key, until there is an answer or the person gives up.
 */

import { NoAnswer, Problem } from "./api.js";
import { pauseAfter } from "./life.js";
import { asShown, placeOf } from "./session.js";

/** Answers after which the same change is sent again: too many calls, away, outcome unknown. */
const AGAIN = new Set([429, 503, 504]);
/** Whoever comes back later than that is asked first: they may not want it any more. */
const ASKED_AFTER_MS = 3 * 60_000;

/** A key that nobody else makes: 128 random bits. (`randomUUID` is for pages over HTTPS only.) */
export function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** @template V */
export class Submission {
  /**
   * @param {string} name  Of the form and of what it is about; two forms with one name are one.
   * @param {{ secret?: boolean }} [options]  `secret`: the values are kept nowhere, so a reload forgets them.
   */
  constructor(name, { secret = false } = {}) {
    this.place = placeOf(`pending.${name}`);
    this.secret = secret;
    this.key = newKey();
    this.at = Date.now();
  }

  /**
   * What was sent before a reload and has no answer yet.
   *
   * @returns {{ values: V, at: number, old: boolean } | null}  `at` is when it was sent first, in ms. `old`: the
   *   person is to be asked before it is sent again.
   */
  pending() {
    const kept = sessionStorage.getItem(this.place);
    if (kept === null) return null;
    const { key, values, at } = JSON.parse(kept);
    this.key = key;
    this.at = at;
    return { values, at, old: Date.now() - at > ASKED_AFTER_MS };
  }

  /**
   * Sends until there is an answer. Throws Problem for a refusal: then nothing happened. Throws AbortError once
   * the signal ends, or somebody else has signed in: then it is not sent in their name.
   *
   * @template A
   * @param {V} values
   * @param {(values: V, key: string) => Promise<A>} send
   * @param {(error: unknown) => void} waiting  Told before each further try why there is one.
   * @param {AbortSignal} signal
   * @returns {Promise<A>}
   */
  async send(values, send, waiting, signal) {
    const { key } = this;
    if (sessionStorage.getItem(this.place) === null) this.at = Date.now();
    if (!this.secret) sessionStorage.setItem(this.place, JSON.stringify({ key, values, at: this.at }));
    for (let tries = 0; ; tries += 1) {
      try {
        await asShown(signal);
        const answer = await send(values, key);
        this.#settled(key);
        return answer;
      } catch (error) {
        const again = error instanceof NoAnswer || (error instanceof Problem && AGAIN.has(error.status));
        if (!again) {
          if (error instanceof Problem) this.#settled(key);
          throw error;
        }
        waiting(error);
        await pauseAfter(tries, error, signal);
      }
    }
  }

  /** It is sent no more. Whether it happened stays unknown. */
  forget() {
    this.#settled(this.key);
  }

  /** @param {string} key  Of the change: after giving up there may be another one by now. */
  #settled(key) {
    if (key !== this.key) return;
    sessionStorage.removeItem(this.place);
    this.key = newKey();
  }
}
