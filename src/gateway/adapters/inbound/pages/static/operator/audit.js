/** The audit, which checks every order, transfer and balance. */

import { call } from "../core/api.js";
import { h } from "../core/dom.js";
import { number, t } from "../core/language.js";
import { act } from "./act.js";
import { finding } from "./findings.js";
import { facts, frame, staff } from "./frame.js";
import { announcer, live, morph } from "./live.js";
import { age, span, time } from "./times.js";
import { auditState } from "./vitals.js";
import { checkText, phaseText } from "./wording.js";

/** @typedef {import("../core/api.js").Schemas["AuditRun"]} Run */

export default staff(async (context) => {
  const { session, signal } = context;
  const latest = h("div", { class: "stack" });
  const state = h("div", {});
  const told = announcer();
  const show = (/** @type {Run | null} */ run) => {
    morph(state, run ? progress(run) : h("p", { class: "notice" }, t("op.audit.never")));
    morph(latest, ...(run ? result(run) : []));
    told.say(run ? t(`op.audit.${run.state}.text`, { n: run.faultCount }) : "");
  };
  const said = await live(1500, signal, async () => {
    show((await call("get", "/ops/audit", { signal })).data.run);
  });
  const begin =
    session.mayOperate &&
    act({
      name: "operator.audit",
      label: t("op.audit.begin"),
      about: t("op.audit.begin.about"),
      action: t("op.audit.begin"),
      send: () => call("post", "/ops/audit", {}),
      done: () => "",
      signal,
    });
  return frame(
    context,
    t("op.audit"),
    h("p", { class: "soft" }, t("op.audit.about")),
    said,
    told.element,
    state,
    begin,
    latest,
  );
});

/** @param {Run} run */
function progress(run) {
  const { done, total, phase, state, detail } = run;
  const part = total > 0 ? t("op.audit.rows", { done: number(done), total: number(total) }) : "";
  const ended = state !== "running";
  return h(
    "div",
    { class: "card" },
    h("div", { class: "row apart" }, h("h2", {}, t("op.audit.run", { n: run.number })), auditState(run)),
    !ended && h("p", {}, [phaseText(phase), part].filter(Boolean).join(": ")),
    !ended &&
      h("progress", {
        value: total > 0 ? done : false,
        max: Math.max(1, total),
        "aria-label": t("op.progress"),
      }),
    ended && h("p", {}, t(`op.audit.${state}.text`, { n: run.faultCount })),
    detail && h("p", { class: "free" }, detail),
  );
}

/** @param {Run} run */
function result(run) {
  const { faults, faultCount, checked, beganAt, endedAt } = run;
  const seconds = endedAt === null ? age(beganAt) : (Date.parse(endedAt) - Date.parse(beganAt)) / 1000;
  return [
    faultCount > 0 && h("h2", {}, t("op.findings", { n: faultCount })),
    faultCount > faults.length && h("p", { class: "soft" }, t("op.findings.first", { n: faults.length })),
    faults.length > 0 && h("ul", { class: "stack" }, ...faults.map(finding)),
    h(
      "div",
      { class: "card" },
      h("h2", {}, t("op.audit.looked")),
      facts(
        ...checked.map(
          ({ check, count, faults: wrong }) =>
            /** @type {[string, string]} */ ([
              checkText(check),
              t("op.audit.checked", { count: number(count), n: wrong }),
            ]),
        ),
        [t("op.began"), time(beganAt), `, ${run.operator}`],
        [t("op.took"), span(seconds)],
      ),
    ),
  ];
}
