/** The live status of one order: server-sent events (WHATWG HTML, 9.2) read by `fetch`. */

import { isAbort, NoAnswer, openEvents, parsed } from "./api.js";
import { inSight, passes, pauseAfter, whileInSight } from "./life.js";

/** A stream without data for this long is dead: the gateway sends a heartbeat every 15 s. */
const QUIET_MS = 35_000;

/**
 * @typedef {import("./api.js").Schemas["Order"]} Order
 * @typedef {{ changed: (order: Order, sequence: number) => void, connected: (error: unknown) => void }} Watcher
 *   `connected` is called with the error, or with null once the stream is open.
 */

/**
 * Calls `changed` with each change of an order, once and in order, until the status is final.
 *
 * EventSource gives up on 429 and 503 and hides their Retry-After, so the stream is read by `fetch`. A lost
 * connection is opened again and continues after the last known change. A hidden window holds no connection.
 * Returns when the order's status is final; throws Problem when the order does not exist.
 *
 * @param {string} id
 * @param {Watcher} watcher
 * @param {AbortSignal} signal
 * @param {string | null} [last]  The sequence of the last change that is known.
 */
export async function watch(id, watcher, signal, last = null) {
  for (let tries = 0; ; tries += 1) {
    await inSight(signal);
    const sight = whileInSight(signal);
    /** @type {unknown} */
    let failure = null;
    try {
      const response = await openEvents(id, last, sight);
      if (response.status === 204) return;
      watcher.connected(null);
      for await (const event of eventsOf(response)) {
        tries = 0;
        if (event.event !== "status") continue;
        last = event.id;
        watcher.changed(parsed(event.data), Number(event.id));
      }
    } catch (error) {
      if (signal.aborted) return;
      if (isAbort(error)) continue; // The window was hidden.
      failure = error instanceof TypeError ? new NoAnswer() : error; // A body that breaks off is a TypeError.
      if (!passes(failure)) throw error;
      watcher.connected(failure);
    }
    await pauseAfter(tries, failure, signal).catch(() => {});
    if (signal.aborted) return;
  }
}

/** @param {Response} response */
async function* eventsOf(response) {
  if (!response.body) return;
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { done, value } = await spoken(reader);
    if (done) return;
    text += value;
    const blocks = text.split(/\r?\n\r?\n/);
    text = blocks.pop() ?? "";
    for (const block of blocks) yield eventOf(block);
  }
}

/** @param {ReadableStreamDefaultReader<string>} reader */
async function spoken(reader) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const quiet = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new NoAnswer()), QUIET_MS);
  });
  try {
    return /** @type {ReadableStreamReadResult<string>} */ (await Promise.race([reader.read(), quiet]));
  } catch (error) {
    reader.cancel().catch(() => {});
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** @param {string} block */
function eventOf(block) {
  const event = { event: "message", id: "", data: "" };
  for (const line of block.split(/\r?\n/)) {
    const [, name, value] = /^(event|id|data): ?(.*)$/.exec(line) ?? [];
    if (name === "data") event.data += (event.data && "\n") + value;
    else if (name === "event" || name === "id") event[name] = value ?? "";
  }
  return event;
}
