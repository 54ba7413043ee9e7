/** Shows a view of the person's account, or a form that opens the account if there is none. */

import { call, Problem } from "../core/api.js";
import { h } from "../core/dom.js";
import { t } from "../core/language.js";
import { go, to } from "../core/router.js";
import { form } from "../parts/form.js";
import { own } from "./own.js";

/** @typedef {import("./wallet.js").Account} Account */

/** Users who were sent on to the operators' pages already. They are sent once, so that they can reach the goods. */
let sentOn = "";

/**
 * @param {(context: import("./own.js").OwnContext, account: Account) => Element} view
 * @returns {import("../core/router.js").View}
 */
export function withAccount(view) {
  return own(async (context) => {
    const { userId, signal } = context;
    try {
      const { data } = await call("get", "/accounts/{userId}", { path: { userId }, signal });
      return view(context, data);
    } catch (error) {
      if (!(error instanceof Problem && error.code === "account_not_found")) throw error;
      if (startsAsOperator(context)) {
        sentOn = userId;
        go(to("operator"), { instead: true });
      }
      return opening(context);
    }
  });
}

/**
 * Staff want the operators' pages, and most of them have no account.
 *
 * @param {import("./own.js").OwnContext} context
 */
function startsAsOperator({ session, userId }) {
  const home = location.hash.length <= 2;
  return home && session.mode === "jwt" && session.maySee && sentOn !== userId;
}

/** @param {import("./own.js").OwnContext} context */
function opening({ userId, signal, again }) {
  return h(
    "section",
    {},
    h("h1", {}, t("open.title")),
    h(
      "div",
      { class: "card" },
      h("p", { class: "free" }, t("open.text", { userId })),
      form({
        name: `open.${userId}`,
        fields: [],
        values: { userId },
        action: t("open.go"),
        send: async (_, key) => {
          try {
            await call("post", "/accounts", { body: { userId }, key });
          } catch (error) {
            if (!(error instanceof Problem && error.code === "account_exists")) throw error;
          }
        },
        done: again,
        signal,
      }),
    ),
  );
}
