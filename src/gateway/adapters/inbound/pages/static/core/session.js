/** The user of the page: in open mode the name that the person chose, otherwise the user who signed in. */

import { call, Problem } from "./api.js";

/**
 * @typedef {{ mode: "open" | "jwt", signIn: boolean, userId: string | null, mayOperate: boolean, maySee: boolean }} Session
 *   `signIn`: whether there is a provider to sign in with. `maySee`: may see the operators' pages. `mayOperate`:
 *   may make changes there.
 */

const CHOSEN = "shop.user";
const PEOPLE = "shop.people";
const PEOPLE_MAX = 8;
const CHANGED = "shop.changed";
const OUT = "out";
/** The prefix of everything that this window keeps, until it is closed or another user comes. */
const KEPT = "shop.of.";
/** @type {Set<() => void>} */
const listeners = new Set();
/** The session that this window shows. */
let shown = /** @type {Session | null} */ (null);

/** @returns {Promise<Session>} */
export async function current() {
  const { data } = await call("get", "/session", {});
  const role = data.session?.role;
  const open = data.mode === "open";
  return {
    mode: data.mode,
    signIn: data.signIn,
    userId: open ? localStorage.getItem(CHOSEN) : (data.session?.userId ?? null),
    mayOperate: open || role === "operator",
    maySee: open || role === "operator" || role === "viewer",
  };
}

/**
 * From now on this window shows this session. What the window kept for other users is removed. When a session has
 * ended, nothing is removed, because the same user may sign in again.
 *
 * @param {Session} session
 */
export function take(session) {
  shown = session;
  if (session.userId !== null) forgetAllBut(placeOf(""));
}

/**
 * The key of `sessionStorage` under which this window keeps something for its user.
 *
 * @param {string} name
 */
export function placeOf(name) {
  return `${KEPT}${shown?.mode}.${encodeURIComponent(shown?.userId ?? "")}/${name}`;
}

/** @param {string | null} own  The prefix of the entries that stay; null: none stays. */
function forgetAllBut(own) {
  for (const place of Object.keys(sessionStorage))
    if (place.startsWith(KEPT) && (own === null || !place.startsWith(own))) sessionStorage.removeItem(place);
}

/** Whether a call would be made by another user than this window shows, because another window changed the session. */
export async function isAnother() {
  if (shown === null) return false;
  if (shown.mode === "open") return localStorage.getItem(CHOSEN) !== shown.userId;
  const { mode, userId } = await current();
  return mode !== shown.mode || userId !== shown.userId;
}

/**
 * Resolves when a change would be made by the user that this window shows. Otherwise the window shows the new user,
 * and this throws an AbortError.
 *
 * @param {AbortSignal} signal
 */
export async function asShown(signal) {
  const another = await isAnother();
  if (another) for (const called of listeners) called();
  if (another || signal.aborted) throw new DOMException("", "AbortError");
}

/** @param {string | null} userId  In open mode. Every window learns it at once. */
export function chooseUser(userId) {
  if (userId === null) localStorage.removeItem(CHOSEN);
  else {
    localStorage.setItem(CHOSEN, userId);
    const people = [userId, ...knownPeople().filter((known) => known !== userId)];
    localStorage.setItem(PEOPLE, JSON.stringify(people.slice(0, PEOPLE_MAX)));
  }
  changed();
}

/**
 * The names that were used in this browser, the latest first.
 *
 * @returns {string[]}
 */
export function knownPeople() {
  return JSON.parse(localStorage.getItem(PEOPLE) ?? "[]");
}

/** @param {string} token  A bearer token, which the shop keeps in a cookie that no script can read. */
export async function signIn(token) {
  // A header can carry no other characters, and no token has others.
  if (!/^[!-~]+$/.test(token)) throw new Problem(401, { code: "unauthorized" }, null);
  await call("post", "/session", { token });
  tellOthers();
}

/** Ends the session, and the provider's session too if the provider supports it. */
export async function signOut() {
  const { data, status } = await call("delete", "/session", {});
  forgetAllBut(null);
  if (status === 200 && data?.signOutUrl) {
    tellOthers(OUT);
    location.assign(data.signOutUrl);
  } else changed(OUT);
}

/** The address of the sign-in at the provider. The browser comes back to the current view. */
export function signInAddress() {
  const here = `${location.pathname}${location.hash}`;
  const query = new URLSearchParams({ returnTo: here.length <= 1000 ? here : location.pathname });
  return `session/login?${query}`;
}

/**
 * Calls `changed` when this or another window chose another user, or signed in or out.
 *
 * @param {() => void} called
 */
export function onChoice(called) {
  listeners.add(called);
  addEventListener("storage", ({ key, newValue }) => {
    if (key !== CHANGED) return;
    if (newValue?.startsWith(OUT)) forgetAllBut(null);
    called();
  });
}

/** By the storage. @param {string} [what] */
function tellOthers(what = "in") {
  localStorage.setItem(CHANGED, `${what} ${Date.now()}`);
}

/** @param {string} [what] */
function changed(what) {
  tellOthers(what);
  for (const called of listeners) called();
}
