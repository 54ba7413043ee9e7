/** The first view: the balance, and the goods. */

import { call } from "../core/api.js";
import { h } from "../core/dom.js";
import { language, money, t } from "../core/language.js";
import { go, to } from "../core/router.js";
import { form } from "../parts/form.js";
import { GOODS } from "./goods.js";
import { withAccount } from "./opening.js";
import { picture } from "./pictures.js";
import { wallet } from "./wallet.js";

/**
 * @typedef {import("./own.js").OwnContext} OwnContext
 * @typedef {import("../core/api.js").Schemas["Order"]} Order
 */

export default withAccount((context, account) => {
  const offers = h(
    "ul",
    { class: "wares" },
    GOODS.map((good) => offered(context, good, account.currency)),
  );
  const other = free(context);
  /** @param {import("./wallet.js").Account} account */
  const allow = ({ frozen = false }) => {
    for (const button of [offers, other].flatMap((one) => [...one.querySelectorAll("button")])) {
      button.disabled = frozen;
      if (frozen) button.setAttribute("aria-describedby", "frozen");
    }
  };
  allow(account);
  return h(
    "section",
    {},
    h(
      "div",
      { class: "welcome" },
      h("div", { class: "stack" }, h("h1", {}, t("goods.title")), h("p", { class: "lead" }, t("goods.text"))),
      wallet(context, account, allow),
    ),
    offers,
    other,
  );
});

/**
 * @param {OwnContext} context
 * @param {import("./goods.js").Good} good
 * @param {string} currency
 */
function offered({ userId, signal }, good, currency) {
  const description = good[language()];
  return h(
    "li",
    { class: "ware" },
    picture(good.picture),
    h("h2", {}, description),
    h(
      "div",
      { class: "offer" },
      h("p", { class: "price" }, money(good.amount, currency)),
      form({
        name: `buy.${userId}.${good.picture}`,
        fields: [],
        values: { amount: good.amount, description },
        action: t("goods.buy"),
        label: `${t("goods.buy")}: ${description}`,
        send: (values, key) => placed(userId, values, key),
        done: shown,
        signal,
      }),
    ),
  );
}

/** @param {OwnContext} context */
function free({ userId, signal }) {
  return h(
    "div",
    { class: "card free-amount" },
    h("h2", {}, t("free.title")),
    form({
      name: `free.${userId}`,
      fields: [
        { name: "amount", label: t("deposit.amount"), attributes: { inputmode: "decimal" } },
        { name: "description", label: t("free.description"), attributes: { maxlength: 500 } },
      ],
      action: t("goods.buy"),
      label: `${t("goods.buy")}: ${t("free.title")}`,
      send: (values, key) => placed(userId, values, key),
      done: shown,
      signal,
    }),
  );
}

/**
 * @param {string} userId
 * @param {Record<string, string>} values
 * @param {string} key
 */
function placed(userId, { amount = "", description = "" }, key) {
  return call("post", "/orders", { body: { userId, amount, description }, key });
}

/** @param {{ data: Order }} answer */
function shown({ data }) {
  go(to("orders", data.id));
}
