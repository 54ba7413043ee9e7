/** The services' consumers, with forms that pause and resume them. A paused consumer takes no message. */

import { call } from "../core/api.js";
import { h } from "../core/dom.js";
import { t } from "../core/language.js";
import { act, note } from "./act.js";
import { frame, partName, staff, unknownNotice } from "./frame.js";
import { announcer, keyed, live, morph } from "./live.js";
import { resumeAct } from "./resume.js";
import { ago } from "./times.js";

/** @typedef {import("../core/api.js").Schemas["Consumer"]} Consumer */

export default staff(async (context) => {
  const { session, signal } = context;
  const unknown = h("div", {});
  const list = h("div", { class: "grid wide" });
  const told = announcer();
  const show = keyed(
    list,
    ({ service }) => service,
    (consumer) => card(consumer, session.mayOperate, signal),
  );
  const said = await live(3000, signal, async () => {
    const { data } = await call("get", "/ops/consumers", { signal });
    morph(unknown, unknownNotice(data.unknown));
    show(data.consumers);
    told.say(data.consumers.map((one) => `${partName(one.service)}: ${stateOf(one)}`).join(". "));
  });
  return frame(
    context,
    t("op.consumers"),
    h("p", { class: "soft" }, t("op.consumers.about")),
    said,
    told.element,
    unknown,
    list,
  );
});

/** @param {Consumer} consumer */
function stateOf({ paused }) {
  return t(paused ? "op.consumer.paused" : "op.consumer.takes");
}

/**
 * @param {Consumer} first
 * @param {boolean} mayOperate
 * @param {AbortSignal} signal
 */
function card(first, mayOperate, signal) {
  const about = h("div", { class: "stack" });
  const acts = h("div", { class: "acts" });
  const { service } = first;
  const showAct = keyed(
    acts,
    (/** @type {string} */ choice) => choice,
    (choice) => ({
      element: choice === "resume" ? resumeAct(service, signal) : pauseAct(service, signal),
      show: () => {},
    }),
  );
  /** @param {Consumer} consumer */
  function show(consumer) {
    const { paused } = consumer;
    const tag = h("span", { class: `tag ${paused ? "" : "good"}` }, stateOf(consumer));
    morph(
      about,
      h("div", { class: "row apart" }, h("h2", {}, partName(service)), tag),
      paused && h("p", {}, t("op.paused.by", { by: paused.by }), " ", ago(paused.since)),
      paused?.note && h("p", { class: "free" }, paused.note),
    );
    if (mayOperate) showAct([paused ? "resume" : "pause"]);
  }
  return { element: h("section", { class: "card" }, about, acts), show };
}

/**
 * @param {string} service
 * @param {AbortSignal} signal
 */
function pauseAct(service, signal) {
  return act({
    name: `operator.pause.${service}`,
    label: t("op.pause", { service: partName(service) }),
    about: t("op.pause.about"),
    fields: [note(false, 1000)],
    action: t("op.pause.go"),
    tone: "danger",
    send: ({ note = "" }) =>
      call("post", "/ops/consumers/{service}/pause", { path: { service }, body: { note } }),
    signal,
  });
}
