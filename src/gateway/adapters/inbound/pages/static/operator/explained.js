/** One order: its facts, what it waits for, and the operators' acts on it. */

import { call, Problem } from "../core/api.js";
import { h } from "../core/dom.js";
import { money, t } from "../core/language.js";
import { to } from "../core/router.js";
import { statusTag } from "../parts/status.js";
import { act, note } from "./act.js";
import { facts, frame, isId, staff, unknownNotice, userLink } from "./frame.js";
import { announcer, keyed, live, morph } from "./live.js";
import { resumeAct } from "./resume.js";
import { timeline } from "./timeline.js";
import { time } from "./times.js";
import { waitCard } from "./waits.js";
import { reasonToEnd, waitTitle } from "./wording.js";

/**
 * @typedef {import("../core/api.js").Schemas["Order"]} Order
 * @typedef {import("../core/api.js").Schemas["ExplainedOrder"]} Explained
 */

export default staff(async (context) => {
  const {
    params: [id = ""],
    session,
    signal,
  } = context;
  const title = t("op.order");
  if (!isId(id)) return frame(context, title, missing(id));
  const about = h("div", { class: "card" });
  const waits = h("div", { class: "stack" });
  const mends = h("div", { class: "stack" });
  const outcomes = h("div", { class: "stack" });
  const messages = h("div", { class: "stack" });
  const overMessages = h("div", { class: "stack" });
  const told = announcer();
  const picture = h("div", {});
  const does = h("div", { class: "acts" });
  let searched = "[]";
  /** @type {import("./message.js").Message[]} */
  let found = [];
  /** @type {((messages: typeof found) => void) | undefined} */
  let showMessages;
  const showPaused = keyed(
    mends,
    (service) => service,
    (service) => ({ element: resumeAct(service, signal), show: () => {} }),
  );
  const showActs = keyed(
    does,
    (status) => status,
    (status) => ({ element: cancel(id, status, signal), show: () => {} }),
  );
  try {
    const said = await live(3000, signal, async () => {
      const [{ data }, order] = await Promise.all([
        call("get", "/ops/orders/{id}", { path: { id }, signal }),
        orderOf(id, signal),
      ]);
      morph(about, head(data, order));
      morph(waits, unknownNotice(data.unknown, data.causes), waitCard(data));
      morph(picture, timeline(data));
      told.say(
        [order && t(`status.${order.status}`), ...data.waits.map(waitTitle)].filter(Boolean).join(". "),
      );
      const parked = data.facts.filter(({ what }) => what === "parked");
      // All parked messages have to be searched, so this is read only when the facts change.
      if (JSON.stringify(parked) !== searched) {
        const { messageCard, messagesOf } = await import("./message.js");
        showMessages ??= keyed(
          messages,
          (message) => message.id,
          (message) => messageCard(message, context, outcomes),
        );
        found = parked.length > 0 ? await messagesOf(id, signal) : [];
        searched = JSON.stringify(parked);
      }
      morph(overMessages, found.length > 0 && h("h2", {}, t("op.parked")));
      showMessages?.(found);
      if (!session.mayOperate) return;
      const paused = data.facts.filter(({ what }) => what === "paused").map(({ service }) => service);
      showPaused(data.waits.length > 0 ? paused : []);
      showActs(data.status === "NEW" || data.status === "FINISHED" ? [data.status] : []);
    });
    return frame(
      context,
      title,
      said,
      told.element,
      about,
      waits,
      mends,
      outcomes,
      overMessages,
      messages,
      does,
      h("h2", {}, t("op.way")),
      picture,
    );
  } catch (error) {
    if (error instanceof Problem && error.status === 404) return frame(context, title, missing(id));
    throw error;
  }
});

/** @param {string} id */
function missing(id) {
  return h(
    "div",
    { class: "card" },
    h("p", {}, t("op.order.missing")),
    h("p", { class: "id" }, id),
    h("p", {}, h("a", { href: to("operator", "customers", id) }, t("op.order.customer"))),
  );
}

/**
 * The order as customers see it; null when the orders service does not know it or does not answer.
 *
 * @param {string} id
 * @param {AbortSignal} signal
 * @returns {Promise<Order | null>}
 */
async function orderOf(id, signal) {
  try {
    return (await call("get", "/orders/{id}", { path: { id }, signal })).data;
  } catch (error) {
    if (error instanceof Problem && (error.status === 404 || error.status === 503)) return null;
    throw error;
  }
}

/**
 * @param {Explained} explained
 * @param {Order | null} order
 */
function head(explained, order) {
  const { traceId, userId } = explained;
  return [
    order &&
      h(
        "div",
        { class: "row apart" },
        h("p", { class: "figure" }, money(order.amount, order.currency)),
        h("p", {}, statusTag(order.status)),
      ),
    order?.reason && h("p", {}, reasonToEnd(order.reason)),
    facts(
      [t("op.id"), h("span", { class: "id" }, explained.id)],
      userId !== null && [t("op.customer"), userLink(userId)],
      order !== null && order.description !== "" && [t("op.description"), order.description],
      order !== null && [t("op.placed"), time(order.createdAt)],
      order?.payBy ? [t("op.payBy"), time(order.payBy)] : false,
      traceId !== null && [t("op.trace"), h("span", { class: "id" }, traceId)],
    ),
  ];
}

/**
 * @param {string} id
 * @param {string} status
 * @param {AbortSignal} signal
 */
function cancel(id, status, signal) {
  const paid = status === "FINISHED";
  return act({
    name: `operator.cancel.${id}`,
    label: t(paid ? "op.refund" : "op.cancel"),
    about: t(paid ? "op.refund.about" : "op.cancel.about"),
    fields: [note(true)],
    action: t(paid ? "op.refund" : "op.cancel"),
    tone: "danger",
    send: ({ note = "" }) => call("post", "/ops/orders/{id}/cancel", { path: { id }, body: { note } }),
    signal,
  });
}
