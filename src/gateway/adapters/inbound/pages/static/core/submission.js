/**
 * Sends a change until its outcome is known; the change happens at most once.
 *
 * A change gets its Idempotency-Key when its form is opened. It is sent again under the same key until there is an
 * answer or the person gives up. Until then the window's storage keeps it under the sender's name, so it is sent
 * again even after a reload.
 */

import { NoAnswer, Problem } from "./api.js";
import { pauseAfter } from "./life.js";
import { asShown, placeOf } from "./session.js";

/** Statuses after which the same change is sent again: too many calls, unavailable, outcome unknown. */
const AGAIN = new Set([429, 503, 504]);
/** After this time the person is asked before the change is sent again: they may not want it any more. */
const ASKED_AFTER_MS = 3 * 60_000;

/** A unique key: 128 random bits. (`randomUUID` works on pages over HTTPS only.) */
function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** @template V */
export class Submission {
  /**
   * @param {string} name  Names the form and its object; two forms of the same name are the same form.
   * @param {{ secret?: boolean }} [options]  `secret`: the values are not stored, so a reload forgets them.
   */
  constructor(name, { secret = false } = {}) {
    this.place = placeOf(`pending.${name}`);
    this.secret = secret;
    this.key = newKey();
    this.at = Date.now();
  }

  /**
   * The change that was sent before a reload and has no answer yet.
   *
   * @returns {{ values: V, at: number, old: boolean } | null}  `at` is when it was first sent, in ms. `old`: the
   *   person has to be asked before it is sent again.
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
   * Sends the change until there is an answer. Throws Problem for a refusal: then nothing happened. Throws AbortError
   * once the signal ends, or when another user has signed in: the change is not sent in that user's name.
   *
   * @template A
   * @param {V} values
   * @param {(values: V, key: string) => Promise<A>} send
   * @param {(error: unknown) => void} waiting  Called before each further try with the error of the last one.
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

  /** Gives up: the change is not sent again. Whether it happened stays unknown. */
  forget() {
    this.#settled(this.key);
  }

  /** @param {string} key  Of the change that is over. After giving up, a new change may have taken its place. */
  #settled(key) {
    if (key !== this.key) return;
    sessionStorage.removeItem(this.place);
    this.key = newKey();
  }
}
