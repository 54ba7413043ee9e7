/** The frame of every view: the menu, the user, the language, and the state of the connection. */

import { onConnection } from "../core/connection.js";
import { fill, h, s } from "../core/dom.js";
import { choose, language, t } from "../core/language.js";
import { to } from "../core/router.js";
import { signOut } from "../core/session.js";
import { form } from "./form.js";

/**
 * @typedef {import("../core/session.js").Session} Session
 * @typedef {import("../core/language.js").Word} Word
 */

/** How long the notice "connected again" stays. */
const BACK_MS = 4000;

/** @param {HTMLElement} main */
export function skipLink(main) {
  const skip = (/** @type {Event} */ event) => {
    event.preventDefault();
    main.focus();
  };
  return h("a", { class: "skip", href: "#main", onclick: skip }, t("skip"));
}

/**
 * @param {Session | null} session  Null while it is not known.
 * @param {Word | undefined} nav  Of the view.
 * @param {AbortSignal} signal
 */
export function header(session, nav, signal) {
  /** @param {Word} word @param {string} address */
  const link = (word, address) => h("a", { href: address, "aria-current": word === nav && "page" }, t(word));
  const somebody = session !== null && (session.mode === "open" || session.userId !== null);
  return h(
    "header",
    { class: "top" },
    h(
      "div",
      { class: "bar" },
      h("a", { class: "brand", href: to(), "aria-label": t("title") }, mark(), t("title")),
      somebody &&
        h(
          "nav",
          { "aria-label": t("nav") },
          link("nav.shop", to()),
          link("nav.orders", to("orders")),
          link("nav.account", to("account")),
          session.maySee && link("nav.operator", to("operator")),
        ),
      h(
        "div",
        { class: "who" },
        session && person(session),
        session?.mode === "jwt" && session.userId !== null && leaving(signal),
        languageSwitch(),
      ),
    ),
    connection,
  );
}

export function footer() {
  return h(
    "footer",
    { class: "foot" },
    h("p", {}, t("foot.text")),
    h(
      "p",
      { class: "row" },
      h("a", { href: "index.html" }, t("foot.api")),
      h("a", { href: "schema/openapi.json" }, "OpenAPI"),
    ),
  );
}

/** @param {Session} session */
function person({ mode, userId }) {
  if (userId === null) return null;
  return h(
    "a",
    { class: "user", href: to(mode === "open" ? "people" : "account"), title: userId },
    h("span", { class: "face", "aria-hidden": "true" }, userId.slice(0, 1).toUpperCase()),
    h("span", { class: "name" }, userId),
    h("span", { class: "unseen" }, ` (${t(mode === "open" ? "people.change" : "nav.account")})`),
  );
}

/** Whoever is signed in can leave, with an account or without. @param {AbortSignal} signal */
function leaving(signal) {
  return form({
    name: "signout",
    fields: [],
    secret: true,
    action: t("signin.out"),
    tone: "quiet",
    send: signOut,
    done: () => {},
    signal,
  });
}

function languageSwitch() {
  const other = language() === "en" ? "ru" : "en";
  const name = other === "ru" ? "Русский" : "English";
  return h(
    "button",
    {
      type: "button",
      id: "language",
      class: "quiet",
      lang: other,
      title: name,
      onclick: () => choose(other),
    },
    name,
  );
}

/** The logo: a bag with one tick, because every order is paid once. */
function mark() {
  return s(
    "svg",
    { class: "mark", viewBox: "0 0 32 32", "aria-hidden": "true", focusable: "false" },
    s("rect", { width: 32, height: 32, rx: 9 }),
    s("path", { d: "M9 12.5h14l-1.2 11.5H10.2zM12.5 12.5a3.5 3.5 0 0 1 7 0M13 18l2.3 2.3 4-4.3" }),
  );
}

/** One element for all views, so that screen readers announce its changes. */
const connection = h("p", { class: "connection", role: "status" });
let back = 0;
onConnection((state) => {
  clearTimeout(back);
  connection.className = `connection ${state}`;
  if (state !== "well") return fill(connection, t(`connection.${state}`));
  fill(connection, t("connection.well"));
  back = window.setTimeout(() => fill(connection), BACK_MS);
});
