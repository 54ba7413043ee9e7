/** Who uses the page: in open mode whoever they say they are, else who signed in. */

import { call, Problem } from "./api.js";

/**
 * @typedef {{ mode: "open" | "jwt", signIn: boolean, userId: string | null, mayOperate: boolean, maySee: boolean }} Session
 *   `signIn`: whether there is a provider to sign in with. `maySee`: the operators' pages. `mayOperate`: whatever
 *   is changed there.
 */

const CHOSEN = "shop.user";
const PEOPLE = "shop.people";
const PEOPLE_MAX = 8;
const CHANGED = "shop.changed";
const OUT = "out";
/** What this window keeps, until it is closed or another person comes. */
const KEPT = "shop.of.";
/** @type {Set<() => void>} */
const listeners = new Set();
/** Whom this window shows. */
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
 * This window shows what this session sees. What it kept for anybody else is removed; a session that has ended
 * may be that of whoever signs in next.
 *
 * @param {Session} session
 */
export function take(session) {
  shown = session;
  if (session.userId !== null) forgetAllBut(placeOf(""));
}

/**
 * Where this window keeps something of the person it shows (`sessionStorage`).
 *
 * @param {string} name
 */
export function placeOf(name) {
  return `${KEPT}${shown?.mode}.${encodeURIComponent(shown?.userId ?? "")}/${name}`;
}

/** @param {string | null} own  How what stays begins. */
function forgetAllBut(own) {
  for (const place of Object.keys(sessionStorage))
    if (place.startsWith(KEPT) && (own === null || !place.startsWith(own))) sessionStorage.removeItem(place);
}

/** Whether a call of this window would be made by somebody else than it shows: another window's session is ours. */
export async function isAnother() {
  if (shown === null) return false;
  if (shown.mode === "open") return localStorage.getItem(CHOSEN) !== shown.userId;
  const { mode, userId } = await current();
  return mode !== shown.mode || userId !== shown.userId;
}

/**
 * Resolves where a change would be made by whom this window shows. Else the window shows who it is now, and this
 * throws an AbortError.
 *
 * @param {AbortSignal} signal
 */
export async function asShown(signal) {
  const another = await isAnother();
  if (another) for (const called of listeners) called();
  if (another || signal.aborted) throw new DOMException("", "AbortError");
}

/** @param {string | null} userId  In open mode; every window knows it at once. */
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
 * The names that were used in this browser, the last one first.
 *
 * @returns {string[]}
 */
export function knownPeople() {
  return JSON.parse(localStorage.getItem(PEOPLE) ?? "[]");
}

/** @param {string} token  A bearer token, which the shop keeps in a cookie that no script can read. */
export async function signIn(token) {
  // No header can carry anything else, and no token has it.
  if (!/^[!-~]+$/.test(token)) throw new Problem(401, { code: "unauthorized" }, null);
  await call("post", "/session", { token });
  tellOthers();
}

/** Ends the session, at the provider too where it asks for that. */
export async function signOut() {
  const { data, status } = await call("delete", "/session", {});
  forgetAllBut(null);
  if (status === 200 && data?.signOutUrl) {
    tellOthers(OUT);
    location.assign(data.signOutUrl);
  } else changed(OUT);
}

/** The address of the provider's sign-in, which comes back to what is shown now. */
export function signInAddress() {
  const here = `${location.pathname}${location.hash}`;
  const query = new URLSearchParams({ returnTo: here.length <= 1000 ? here : location.pathname });
  return `session/login?${query}`;
}

/**
 * Calls back when this or another window chose another user, or signed in or out.
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
