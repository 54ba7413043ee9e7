/** The view of one order, with live status and the steps that it goes through. */

import { call, Problem } from "../core/api.js";
import { reporter } from "../core/connection.js";
import { fill, h } from "../core/dom.js";
import { duration, moment, money, t } from "../core/language.js";
import { repeatedly } from "../core/life.js";
import { to } from "../core/router.js";
import { watch } from "../core/stream.js";
import { cure, reasonText } from "../parts/refusal.js";
import { statusTag } from "../parts/status.js";
import { cancelling } from "./cancelling.js";
import { goodOf } from "./goods.js";
import { linesOf } from "./lines.js";
import { own } from "./own.js";
import { picture } from "./pictures.js";
import { ownOrder, withHistory } from "./reading.js";
import { stepsOf } from "./steps.js";
import { way } from "./way.js";

/**
 * @typedef {import("../core/api.js").Schemas["Order"]} Order
 * @typedef {import("./steps.js").Known} Known
 */

/** No change follows these statuses. */
const OVER = new Set(["CANCELLED", "REFUNDED"]);
/** The stream ends at these statuses. A paid order changes again when a refund is requested. */
const RESTING = new Set(["FINISHED", "CANCELLED", "REFUNDED"]);

export default own(async ({ params: [id = ""], userId, signal }) => {
  const order = await ownOrder(id, userId, signal);
  if (!order) return missing();
  return shown(await withHistory(order, signal), signal);
});

function missing() {
  return h(
    "section",
    {},
    h("h1", {}, t("order.missing")),
    h("p", { class: "lead" }, t("order.missing.text")),
    h("p", {}, h("a", { class: "button second", href: to("orders") }, t("orders.title"))),
  );
}

/**
 * @param {Awaited<ReturnType<typeof withHistory>>} first
 * @param {AbortSignal} signal
 */
function shown({ sequence, ...first }, signal) {
  /** @type {Known} */
  const known = { ...first, charged: null, returned: null };
  const { id } = known.order;
  const status = h("div", { class: "status", role: "status" });
  const picturedWay = way();
  const acts = cancelling(known.order, signal, (order) => changed(order));
  let drawn = "";
  let linesDue = true;

  const draw = () => {
    picturedWay.show(stepsOf(known));
    acts.show(known.order);
    const said = outcome(known);
    if (drawn === said) return;
    drawn = said;
    const { reason, status: now } = known.order;
    fill(status, statusTag(now), h("p", {}, said), now === "CANCELLED" && cure(reason));
  };
  /** @param {Order} order */
  const changed = (order) => {
    const news = known.order.status !== order.status;
    known.order = order;
    if (news && !known.changes.some((change) => change.status === order.status))
      known.changes = [...known.changes, { status: order.status, at: order.updatedAt }];
    draw();
    if (!news) return;
    linesDue = true;
    readLines().catch(() => {}); // They stay missing, and are read again below.
    follow();
  };
  const readLines = async () => {
    const { status } = known.order;
    Object.assign(known, await linesOf(known.order, signal));
    linesDue = status !== known.order.status || !RESTING.has(status);
    draw();
  };

  const report = reporter(signal);
  let following = false;
  let streaming = false;
  /** Reads the stream after the last change; at most one stream is open. */
  const follow = async () => {
    if (following || RESTING.has(known.order.status)) return;
    following = true;
    const watcher = {
      changed: (/** @type {Order} */ order, /** @type {number} */ at) => {
        if (at <= sequence) return;
        sequence = at;
        changed(order);
      },
      connected: (/** @type {unknown} */ error) => {
        streaming = error === null;
        report(error);
      },
    };
    try {
      await watch(id, watcher, signal, String(sequence));
      following = streaming = false;
      if (!signal.aborted) follow();
    } catch (error) {
      if (!(error instanceof Problem)) throw error; // The shell, or the reads below, show a refusal.
    }
  };

  draw();
  follow();
  repeatedly(3000, signal, async () => {
    if (!streaming && !OVER.has(known.order.status)) {
      const { data } = await call("get", "/orders/{id}", { path: { id }, signal });
      if (data.status !== known.order.status) {
        const fresh = await withHistory(data, signal);
        known.changes = fresh.changes;
        sequence = Math.max(sequence, fresh.sequence);
        changed(fresh.order);
      }
    }
    if (linesDue) await readLines();
  });
  return page(known.order, status, picturedWay.element, acts.element);
}

/** One sentence that says what has happened. @param {Known} known */
function outcome({ order, changes }) {
  const { status, reason, createdAt } = order;
  const amount = money(order.amount, order.currency);
  if (status === "CANCELLED") return reasonText(reason) || t("told.CANCELLED");
  const paidAt = changes.find((change) => change.status === "FINISHED")?.at;
  const seconds = paidAt ? (Date.parse(paidAt) - Date.parse(createdAt)) / 1000 : 0;
  if (status === "FINISHED" && paidAt && seconds < 60)
    return t("told.FINISHED.in", { amount, time: duration(Math.max(seconds, 0.1)) });
  return t(`told.${status}`, { amount });
}

/**
 * @param {Order} order
 * @param {HTMLElement} status
 * @param {HTMLElement} pictured
 * @param {HTMLElement} acts
 */
function page(order, status, pictured, acts) {
  const { id, description, amount, currency, createdAt, payBy } = order;
  /** @param {string} name @param {string} text */
  const fact = (name, text) => h("div", {}, h("dt", {}, name), h("dd", {}, text));
  return h(
    "section",
    {},
    h("p", { class: "back" }, h("a", { href: to("orders") }, t("orders.title"))),
    h("h1", { class: "unseen" }, t("order.title")),
    h(
      "div",
      { class: "card receipt" },
      picture(goodOf(description)?.picture ?? "parcel"),
      h(
        "div",
        { class: "stack" },
        h("p", { class: "free strong" }, description || t("order.plain")),
        h("p", { class: "figure" }, money(amount, currency)),
        status,
      ),
      pictured,
      h(
        "dl",
        { class: "terms" },
        fact(t("order.placed"), moment(createdAt)),
        payBy && fact(t("order.payBy"), moment(payBy)),
        fact(t("order.id"), id),
      ),
    ),
    acts,
  );
}
