/** Wraps views that need a user. Without one, the same address shows the question for the name first. */

import enter from "./enter.js";

/**
 * @typedef {import("../core/router.js").Context} Context
 * @typedef {Context & { userId: string }} OwnContext
 */

/**
 * @param {(context: OwnContext) => Element | Promise<Element>} view
 * @returns {import("../core/router.js").View}
 */
export function own(view) {
  return (context) => {
    const { userId } = context.session;
    return userId === null ? enter(context) : view({ ...context, userId });
  };
}
