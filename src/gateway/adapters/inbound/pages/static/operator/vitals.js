/** The state of the services and the latest audit in words, and the troubles that need an operator. */

import { h } from "../core/dom.js";
import { number, t } from "../core/language.js";
import { to } from "../core/router.js";
import { facts, partName } from "./frame.js";
import { age, ago, span } from "./times.js";
import { reasonOfParking } from "./wording.js";

/**
 * @typedef {import("../core/api.js").Schemas["Overview"]} Overview
 * @typedef {import("../core/api.js").Schemas["ServiceOverview"]} Service
 * @typedef {import("../core/api.js").Schemas["AuditRun"]} AuditRun
 */

/** A longer wait is a trouble: even work left by a crash is done after 10 s. */
const LATE_S = 10;

/**
 * @param {Overview} overview
 * @returns {{ text: string, href?: string }[]}
 */
export function troubles({ services, audit, unknown }) {
  const away = unknown.filter((part) => part === "orders" || part === "payments");
  const found = away.map((part) => ({ text: t("op.trouble.away", { service: partName(part) }) }));
  const ofServices = services.flatMap((one) => ofService(one));
  const state = audit?.run?.state;
  const href = to("operator", "audit");
  const ofAudit =
    state && state !== "sound" && state !== "running" ? [{ text: t(`op.audit.${state}`), href }] : [];
  return [...found, ...ofServices, ...ofAudit];
}

/** @param {Service} one */
function ofService(one) {
  const service = partName(one.service);
  const parked = sum(one.parked);
  const aside = (one.setAside ?? []).reduce((all, { count }) => all + count, 0);
  const oldest = Math.max(0, ...one.waiting.map(({ since }) => age(since)));
  return [
    !one.broker && { text: t("op.trouble.broker", { service }) },
    one.paused && { text: t("op.trouble.paused", { service }), href: to("operator", "consumers") },
    !one.onTime && { text: t("op.trouble.late", { service }) },
    aside > 0 && { text: t("op.trouble.aside", { service, n: aside }) },
    oldest > LATE_S && { text: t("op.trouble.outbox", { service, span: span(oldest) }) },
    parked > 0 && { text: t("op.trouble.parked", { service, n: parked }), href: to("operator", "messages") },
    one.schema < one.schemaNeeded && { text: t("op.trouble.schema", { service }) },
  ].filter((trouble) => trouble !== false);
}

/** @param {Record<string, number>} counts */
function sum(counts) {
  return Object.values(counts).reduce((all, count) => all + count, 0);
}

/** @param {boolean} good @param {string} text */
function state(good, text) {
  return h("span", { class: `tag ${good ? "good" : "bad"}` }, text);
}

/** @param {Service} one */
export function serviceCard(one) {
  const reasons = Object.entries(one.parked).map(
    ([reason, count]) => `${reasonOfParking(reason)}: ${number(count)}`,
  );
  const waiting = one.waiting.map(({ type, count, since }) =>
    h("span", {}, `${type}: ${number(count)}, `, ago(since), " "),
  );
  return h(
    "section",
    { class: "card" },
    h("h3", {}, partName(one.service)),
    facts(
      [t("op.broker"), state(one.broker, t(one.broker ? "op.broker.yes" : "op.broker.no"))],
      [t("op.consumer"), state(!one.paused, t(one.paused ? "op.consumer.paused" : "op.consumer.takes"))],
      [t("op.ontime"), state(one.onTime, t(one.onTime ? "op.ontime.yes" : "op.ontime.no"))],
      [t("op.outbox"), ...(waiting.length > 0 ? waiting : [t("op.empty")])],
      [
        t("op.parked"),
        reasons.length > 0 ? h("a", { href: to("operator", "messages") }, reasons.join(", ")) : t("op.none"),
      ],
      [t("op.held"), number(one.held)],
      [t("op.version"), one.version],
      [
        t("op.schema"),
        one.schema === one.schemaNeeded
          ? String(one.schema)
          : t("op.schema.needed", { schema: one.schema, needed: one.schemaNeeded }),
      ],
    ),
  );
}

/** @param {Overview} overview */
export function auditLine({ audit, unknown }) {
  const run = audit?.run;
  const told = unknown.includes("audit") ? t("op.chart.unknown") : t("op.audit.never");
  return h(
    "section",
    { class: "card" },
    h("h3", {}, h("a", { href: to("operator", "audit") }, t("op.audit"))),
    run ? h("p", {}, auditState(run)) : h("p", {}, told),
    run && h("p", { class: "soft small" }, ago(run.endedAt ?? run.beganAt)),
  );
}

/** @param {AuditRun} run */
export function auditState({ state: is }) {
  const tone = is === "sound" ? "good" : is === "running" ? "" : "bad";
  return h("span", { class: `tag ${tone}` }, t(`op.audit.${is}`));
}
