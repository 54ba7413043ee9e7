/** The routes of the views for operators and viewers. */

import { language, learn } from "../core/language.js";
import { styled } from "../core/styles.js";

/** @typedef {import("../core/router.js").Route} Route */

const STYLES = ["operator.css", "operator/acts.css", "operator/charts.css", "operator/timeline.css"];

/**
 * @param {RegExp} path
 * @param {Route["load"]} load
 * @returns {Route}
 */
const route = (path, load) => ({
  path,
  load: async () => {
    const [view] = await Promise.all([load(), words(), styled(STYLES)]);
    return view;
  },
  nav: "nav.operator",
});

/** Loads the texts of these views, in the current language only. */
async function words() {
  const file = language() === "en" ? import("../words/operator.en.js") : import("../words/operator.ru.js");
  learn((await file).default);
}

/** @type {Route[]} */
export const OPERATOR = [
  route(/^operator$/, () => import("./pulse.js")),
  route(/^operator\/orders$/, () => import("./orders.js")),
  route(/^operator\/orders\/([^/]+)$/, () => import("./explained.js")),
  route(/^operator\/customers\/([^/]+)$/, () => import("./customer.js")),
  route(/^operator\/customers\/([^/]+)\/statement$/, () => import("./statement.js")),
  route(/^operator\/messages$/, () => import("./groups.js")),
  route(/^operator\/messages\/([^/]+)$/, () => import("./group.js")),
  route(/^operator\/operations\/([^/]+)$/, () => import("./operation.js")),
  route(/^operator\/consumers$/, () => import("./consumers.js")),
  route(/^operator\/record$/, () => import("./record.js")),
  route(/^operator\/audit$/, async () => {
    learn(
      (
        await (language() === "en"
          ? import("../words/operator.audit.en.js")
          : import("../words/operator.audit.ru.js"))
      ).default,
    );
    return import("./audit.js");
  }),
];
