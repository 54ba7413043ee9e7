/** The routes of the customers' views. */

import { language, learn } from "../core/language.js";
import { styled } from "../core/styles.js";

/** @typedef {import("../core/router.js").Route} Route */

/** The sign-in uses them too. */
export const STYLES = ["customer/customer.css", "customer/pictures.css"];

/**
 * @param {RegExp} path
 * @param {Route["load"]} load
 * @param {Route["nav"]} nav
 * @param {string[]} [styles]
 * @returns {Route}
 */
const route = (path, load, nav, styles = STYLES) => ({
  path,
  load: async () => {
    const [view] = await Promise.all([load(), words(), styled(styles)]);
    return view;
  },
  nav,
});

async function words() {
  const file = language() === "en" ? import("../words/customer.en.js") : import("../words/customer.ru.js");
  learn((await file).default);
}

/** @type {Route[]} */
export const CUSTOMER = [
  route(/^$/, () => import("./shop.js"), "nav.shop"),
  route(/^orders$/, () => import("./orders.js"), "nav.orders"),
  route(/^orders\/([^/]+)$/, () => import("./order.js"), "nav.orders", [...STYLES, "customer/order.css"]),
  route(/^account$/, () => import("./account.js"), "nav.account"),
  { ...route(/^people$/, () => import("./enter.js"), "nav.account"), open: true },
];
