/** The shell of the pages: shows the view of the current address, the sign-in, or an error. */

import { NoAnswer, onUnauthorized, Problem } from "./core/api.js";
import { fill, h } from "./core/dom.js";
import { isWord, language, onLanguage, t } from "./core/language.js";
import { passes, pauseAfter } from "./core/life.js";
import { located, to } from "./core/router.js";
import { current, isAnother, onChoice, take } from "./core/session.js";
import { styled } from "./core/styles.js";
import { STYLES } from "./customer/routes.js";
import { footer, header, skipLink } from "./parts/frame.js";
import { refusal } from "./parts/refusal.js";

/** @typedef {import("./core/session.js").Session} Session */

const root = /** @type {HTMLElement} */ (document.getElementById("app"));
let shown = new AbortController();
/** The user who has signed in, as this window last saw it. */
let known = /** @type {string | null} */ (null);
/** The problem that the address brought along, until the person goes on. */
let wrong = arrived();

/** @param {boolean} [moved]  Whether the person went to another view, so that it gets the focus. */
async function show(moved = false) {
  shown.abort();
  shown = new AbortController();
  const { signal } = shown;
  document.documentElement.lang = language();
  const held = document.activeElement?.id ?? "";
  leave();
  located()
    ?.route.load()
    .catch(() => {}); // Loads the view while the session is read. `viewOf` loads it again, and reports a failure.
  for (let tries = 0; ; tries += 1) {
    try {
      const session = await current();
      if (signal.aborted) return;
      take(session);
      const element = await viewOf(session, signal);
      if (element && !signal.aborted) paint(session, element, moved, held, signal);
      return;
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof Problem || error instanceof NoAnswer)) throw error;
      paint(null, failure(error), false, held, signal);
      if (!passes(error)) return;
      await pauseAfter(tries, error, signal).catch(() => {});
      if (signal.aborted) return;
    }
  }
}

/**
 * @param {Session} session
 * @param {AbortSignal} signal
 * @returns {Promise<Element>}
 */
async function viewOf(session, signal) {
  if (session.mode === "jwt" && session.userId === null) {
    const ended = known !== null;
    const [{ signInView }] = await Promise.all([import("./customer/signin.js"), styled(STYLES)]);
    return signInView({ session, ended, done: () => show(true), signal });
  }
  known = session.mode === "jwt" ? session.userId : null;
  const place = located();
  if (!place || (place.route.open && session.mode !== "open")) return missing();
  const view = (await place.route.load()).default;
  return view({ params: place.params, query: place.query, session, signal, again: () => show(true) });
}

/** Until the next view is there, the old one stays visible but takes no clicks. */
function leave() {
  const main = root.querySelector("main");
  main?.setAttribute("inert", "");
  main?.setAttribute("aria-busy", "true");
}

/**
 * @param {Session | null} session  Null while it is not known.
 * @param {Element} element
 * @param {boolean} moved
 * @param {string} held  The id of the element that had the focus.
 * @param {AbortSignal} signal
 */
function paint(session, element, moved, held, signal) {
  const first = root.childElementCount === 0;
  const main = h(
    "main",
    { id: "main", tabindex: "-1" },
    wrong && h("div", { role: "alert" }, refusal(wrong)),
    element,
  );
  fill(root, skipLink(main), header(session, located()?.route.nav, signal), main, footer());
  document.title = `${main.querySelector("h1")?.textContent ?? ""} · ${t("title")}`;
  if (moved) {
    scrollTo(0, 0);
    const wished = /** @type {HTMLElement | null} */ (main.querySelector("[data-first]"));
    if (wished) wished.focus();
    else main.focus({ preventScroll: true });
  } else if (!first) (document.getElementById(held) ?? main).focus({ preventScroll: true });
}

/** A failed sign-in leads here with its problem's code. The code is removed from the address. */
function arrived() {
  const code = located()?.query.get("problem");
  if (!code) return null;
  history.replaceState(null, "", to());
  return isWord(`problem.${code}`) ? new Problem(400, { code }, null) : null;
}

/** @param {Problem | NoAnswer} error */
function failure(error) {
  const text = error instanceof Problem ? refusal(error) : h("p", { class: "notice warn" }, t("away"));
  const again = h("button", { type: "button", class: "button", onclick: () => show() }, t("again"));
  return h("section", { role: "status" }, h("h1", {}, t("failed")), text, h("p", {}, again));
}

function missing() {
  const back = h("a", { class: "button second", href: to() }, t("nav.shop"));
  return h("section", {}, h("h1", {}, t("missing")), h("p", {}, back));
}

addEventListener("hashchange", () => {
  wrong = arrived();
  show(true);
});
onLanguage(() => show());
onChoice(() => {
  known = wrong = null;
  show();
});
addEventListener("focus", async () => {
  if (await isAnother().catch(() => false)) show();
});
onUnauthorized(async () => {
  const session = await current().catch(() => null);
  if (session?.userId === null) show();
});
show();
