/**
 * The client of the gateway's public API. Paths, parameters and bodies are checked against
 * docs/openapi/gateway.json by `make check`; nothing else in the pages calls `fetch`.
 *
 * @typedef {import("#gateway").paths} paths
 * @typedef {import("#gateway").components["schemas"]} Schemas
 * @typedef {"get" | "post" | "delete"} Method
 */

import { nextOf, urlOf } from "./address.js";
import { parsed } from "./json.js";

export { parsed };

/** How long an answer may take. The gateway itself gives up after 10 s (504 `outcome_unknown`). */
const ANSWER_WITHIN_MS = 20_000;

/**
 * @template {Method} M
 * @typedef {{ [P in keyof paths]: paths[P] extends { [K in M]: object } ? P : never }[keyof paths]} PathsOf
 */

/**
 * @template {keyof paths} P
 * @template {Method} M
 * @typedef {paths[P] extends { [K in M]: infer O } ? O : never} OperationOf
 */

/**
 * @template O
 * @typedef {O extends { parameters: { path: infer X } } ? { path: X } : { path?: undefined }} PathOf
 */

/**
 * @template O
 * @typedef {O extends { parameters: { query?: infer Q } } ? { query?: Q } : { query?: undefined }} QueryOf
 */

/**
 * @template O
 * @typedef {O extends { requestBody: { content: { "application/json": infer B } } } ? { body: B }
 *   : O extends { requestBody?: infer R } ? { body?: [R & object] extends [never] ? undefined
 *     : R extends { content: { "application/json": infer B } } ? B : undefined }
 *   : { body?: undefined }} BodyOf
 */

/**
 * @template O
 * @typedef {O extends { responses: infer R }
 *   ? { [S in keyof R]: S extends 200 | 201 | 202 ? (R[S] extends { content: { "application/json": infer T } } ? T : undefined) : never }[keyof R]
 *   : never} AnswerOf
 */

/** A refusal of the shop (RFC 9457). */
export class Problem extends Error {
  /**
   * @param {number} status
   * @param {Partial<Schemas["Problem"]>} body
   * @param {number | null} retryAfterS
   */
  constructor(status, body, retryAfterS) {
    super(body.detail ?? `HTTP ${status}`);
    this.status = status;
    this.code = body.code ?? "";
    this.errors = body.errors ?? [];
    this.retryAfterS = retryAfterS;
  }
}

/** No answer came: the connection was cut, or the shop does not run. Whether a change happened is unknown. */
export class NoAnswer extends Error {}

let unauthorized = () => {};

/** @param {() => void} changed  Called when the session is over: the shop no longer knows the caller. */
export function onUnauthorized(changed) {
  unauthorized = changed;
}

/**
 * Makes one call. Throws Problem for a refusal, NoAnswer without an answer, and an AbortError once `signal` ends.
 *
 * The browser's cache keeps reads, and asks by their ETag whether they are still current.
 *
 * @template {Method} M
 * @template {PathsOf<M>} P
 * @param {M} method
 * @param {P} path  As in the OpenAPI document; its parameters are filled in from `path` of the options.
 * @param {PathOf<OperationOf<P, M>> & QueryOf<OperationOf<P, M>> & BodyOf<OperationOf<P, M>>
 *   & { key?: string, token?: string, signal?: AbortSignal }} options
 *   `key` is the Idempotency-Key, `token` is a bearer token instead of the session.
 * @returns {Promise<{ data: AnswerOf<OperationOf<P, M>>, next: string | null, status: number }>}
 *   `next` is the `after` of the next page, null on the last one.
 */
export async function call(method, path, options) {
  /** @type {Record<string, string>} */
  const headers = { Accept: "application/json" };
  if (options.body !== undefined) headers["Content-Type"] = "application/json";
  if (options.token) headers.Authorization = `Bearer ${options.token}`;
  if (options.key) headers["Idempotency-Key"] = options.key;
  // A page of another host cannot send this header, so it proves that this page makes the change.
  if (method !== "get") headers["X-Shop-Session"] = "page";
  const body = options.body === undefined ? undefined : JSON.stringify(options.body);
  const { path: values, query } =
    /** @type {{ path?: Record<string, string>, query?: Record<string, unknown> }} */ (options);
  const response = await answered(urlOf(path, values, query), {
    method: method.toUpperCase(),
    headers,
    body,
    signal: AbortSignal.any([
      AbortSignal.timeout(ANSWER_WITHIN_MS),
      ...(options.signal ? [options.signal] : []),
    ]),
  });
  const text = await textOf(response);
  const json = /\bjson\b/.test(response.headers.get("Content-Type") ?? "");
  const data = text && json ? parsed(text) : undefined;
  if (!response.ok) {
    const problem = new Problem(response.status, data ?? {}, retryAfterS(response));
    if (problem.status === 401 && !options.token) unauthorized();
    throw problem;
  }
  // A proxy between the browser and the shop has answered.
  if (data === undefined && response.status !== 204) throw new NoAnswer();
  return { data, next: nextOf(response), status: response.status };
}

/**
 * Opens the event stream of an order. The answer's body is still to be read.
 *
 * @param {string} id  The order's id.
 * @param {string | null} lastEventId
 * @param {AbortSignal} signal
 * @returns {Promise<Response>}
 */
export async function openEvents(id, lastEventId, signal) {
  /** @type {Record<string, string>} */
  const headers = { Accept: "text/event-stream" };
  if (lastEventId !== null) headers["Last-Event-ID"] = lastEventId;
  const slow = new AbortController();
  const timer = setTimeout(() => slow.abort(new NoAnswer()), ANSWER_WITHIN_MS);
  const response = await answered(urlOf("/orders/{id}/events", { id }), {
    headers,
    signal: AbortSignal.any([signal, slow.signal]),
    cache: "no-store",
  }).finally(() => clearTimeout(timer));
  if (response.ok) return response;
  if (response.status === 401) unauthorized();
  throw new Problem(response.status, {}, retryAfterS(response));
}

/**
 * @param {string} url
 * @param {RequestInit} request
 */
async function answered(url, request) {
  try {
    return await fetch(url, request);
  } catch (error) {
    throw isAbort(error) ? error : new NoAnswer();
  }
}

/** @param {Response} response */
async function textOf(response) {
  try {
    return await response.text();
  } catch (error) {
    throw isAbort(error) ? error : new NoAnswer();
  }
}

/** @param {unknown} error */
export function isAbort(error) {
  return error instanceof DOMException && error.name === "AbortError";
}

/** @param {Response} response */
function retryAfterS(response) {
  const seconds = Number(response.headers.get("Retry-After") ?? Number.NaN);
  return Number.isFinite(seconds) ? seconds : null;
}
