/** The sign-in of jwt mode: at the provider, or with a token. It is shown at the address that needs it. */

import { h } from "../core/dom.js";
import { t } from "../core/language.js";
import { signIn, signInAddress } from "../core/session.js";
import { form } from "../parts/form.js";
import { shelf } from "./pictures.js";

/**
 * @param {{ session: import("../core/session.js").Session, ended: boolean, done: () => void, signal: AbortSignal }} asked
 *   `ended`: a session has just ended. `done` is called once there is a new one.
 */
export function signInView({ session, ended, done, signal }) {
  const byToken = () =>
    h(
      "div",
      { class: "card" },
      form({
        name: "signin",
        secret: true,
        fields: [
          {
            name: "token",
            label: t("signin.token"),
            hint: t("signin.hint"),
            attributes: { type: "password", spellcheck: "false" },
          },
        ],
        action: t("signin.go"),
        words: { unauthorized: "signin.refused" },
        send: ({ token = "" }) => signIn(token),
        done,
        signal,
      }),
    );
  return h(
    "section",
    { class: "hero" },
    h(
      "div",
      { class: "stack" },
      h("h1", {}, t("signin.title")),
      ended && h("p", { class: "notice warn", role: "status" }, t("signin.ended")),
      h("p", { class: "lead" }, t("signin.text")),
      session.signIn
        ? h("p", {}, h("a", { class: "button", href: signInAddress() }, t("signin.provider")))
        : byToken(),
    ),
    shelf(),
  );
}
