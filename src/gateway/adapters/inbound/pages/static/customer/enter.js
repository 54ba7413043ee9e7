/** Asks for the user in open mode: a name that was used in this browser before, or another one. */

import { call, Problem } from "../core/api.js";
import { h } from "../core/dom.js";
import { t } from "../core/language.js";
import { go, located, to } from "../core/router.js";
import { chooseUser, knownPeople } from "../core/session.js";
import { form } from "../parts/form.js";
import { shelf } from "./pictures.js";

/** @type {import("../core/router.js").View} */
export default function enter({ session, signal }) {
  const known = knownPeople();
  const first = known.length === 0;
  /** @param {string} userId */
  const choose = (userId) => {
    chooseUser(userId);
    if (located()?.route.path.test("people")) go(to());
  };
  return h(
    "section",
    { class: "hero" },
    h(
      "div",
      { class: "stack" },
      h("h1", {}, t(first ? "enter.title" : "people.title")),
      h("p", { class: "lead" }, t(first ? "enter.text" : "people.text")),
      !first &&
        h(
          "ul",
          { class: "people" },
          known.map((name) =>
            h(
              "li",
              {},
              h(
                "button",
                {
                  type: "button",
                  class: "person",
                  "aria-current": name === session.userId && "true",
                  onclick: () => choose(name),
                },
                h("span", { class: "face", "aria-hidden": "true" }, name.slice(0, 1).toUpperCase()),
                h("span", { class: "name" }, name),
              ),
            ),
          ),
        ),
      h(
        "div",
        { class: "card" },
        !first && h("h2", {}, t("people.other")),
        form({
          name: "enter",
          fields: [
            {
              name: "userId",
              label: t("enter.name"),
              hint: t("enter.hint"),
              attributes: { value: suggested(), maxlength: 128, spellcheck: "false", autocapitalize: "none" },
            },
          ],
          action: t("enter.go"),
          send: async ({ userId = "" }, key) => {
            await opened(userId, key);
            return userId;
          },
          done: choose,
          signal,
        }),
      ),
    ),
    shelf(),
  );
}

/**
 * Opens the account, unless it exists already.
 *
 * @param {string} userId
 * @param {string} key
 */
async function opened(userId, key) {
  try {
    await call("post", "/accounts", { body: { userId }, key });
  } catch (error) {
    if (!(error instanceof Problem && error.code === "account_exists")) throw error;
  }
}

function suggested() {
  return `guest-${crypto.getRandomValues(new Uint16Array(1))[0]}`;
}
