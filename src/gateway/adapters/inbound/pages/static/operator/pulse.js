/** The state of the shop, now and over the last 15 minutes. */

import { call } from "../core/api.js";
import { h } from "../core/dom.js";
import { duration, number, t } from "../core/language.js";
import { chart, SPAN_MS } from "./charts.js";
import { frame, partName, staff, unknownNotice } from "./frame.js";
import { announcer, live, morph } from "./live.js";
import { minute, span } from "./times.js";
import { auditLine, serviceCard, troubles } from "./vitals.js";

/**
 * @typedef {import("../core/api.js").Schemas["Overview"]} Overview
 * @typedef {import("../core/api.js").Schemas["SeriesStep"]} Step
 * @typedef {{ at: number, service: string, waiting: number | null, age: number | null,
 *   parked: number | null }} Seen  Null while the service does not answer.
 */

/**
 * The values that this window has read. The API tells only how many events wait now, not how many did before.
 *
 * @type {Seen[]}
 */
let seen = [];

export default staff(async (context) => {
  const needs = h("div", { class: "stack" });
  const told = announcer();
  const charts = h("div", { class: "charts" });
  const services = h("div", { class: "grid wide" });
  const rows = h("tbody", {});
  const said = await live(5000, context.signal, async () => {
    const { data } = await call("get", "/ops/overview", { signal: context.signal });
    remember(data);
    const found = troubles(data);
    morph(needs, unknownNotice(data.unknown), needed(found, data));
    told.say(found.length > 0 ? t("op.needs", { n: found.length }) : t("op.well"));
    morph(charts, ...pictures(data));
    morph(services, ...data.services.map(serviceCard), auditLine(data));
    morph(rows, ...(data.series ?? []).toReversed().map(row));
  });
  return frame(
    context,
    t("op.pulse"),
    said,
    told.element,
    needs,
    h("h2", {}, t("op.series")),
    charts,
    h(
      "details",
      {},
      h("summary", {}, t("op.table")),
      h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": t("op.table") }, table(rows)),
    ),
    h("h2", {}, t("op.services")),
    services,
  );
});

/** @param {Overview} overview */
function remember({ services }) {
  const at = Date.now();
  for (const { service, waiting, parked } of services) {
    const oldest = Math.min(at, ...waiting.map(({ since }) => Date.parse(since)));
    seen.push({
      at,
      service,
      waiting: waiting.reduce((sum, { count }) => sum + count, 0),
      age: (at - oldest) / 1000,
      parked: Object.values(parked).reduce((sum, count) => sum + count, 0),
    });
  }
  const told = new Set(services.map(({ service }) => service));
  for (const service of new Set(seen.map((one) => one.service)))
    if (!told.has(service)) seen.push({ at, service, waiting: null, age: null, parked: null });
  seen = seen.filter((one) => one.at > at - SPAN_MS);
}

/**
 * @param {ReturnType<typeof troubles>} found
 * @param {Overview} overview
 */
function needed(found, { unknown }) {
  if (found.length === 0)
    return unknown.length === 0 && h("p", { class: "notice" }, h("b", {}, t("op.well")));
  const points = found.map(({ text, href }) => h("li", {}, href ? h("a", { href }, text) : text));
  return h(
    "div",
    { class: "notice bad" },
    h("h2", {}, t("op.needs", { n: found.length })),
    h("ul", { class: "points" }, ...points),
  );
}

/** @param {Overview} overview */
function pictures({ series }) {
  const now = Date.now();
  const latest = (series ?? []).findLast((step) => step.decided > 0);
  const to = series?.length ? Date.parse(series.at(-1)?.start ?? "") + 15_000 : now;
  const points = (/** @type {(step: Step) => number | null} */ of) =>
    (series ?? []).map((step) => {
      const value = of(step);
      // A number with a fraction comes as text (core/json.js).
      return { at: Date.parse(step.start) + 15_000, value: value === null ? null : Number(value) };
    });
  const own = (/** @type {(one: Seen) => number | null} */ of) =>
    [...new Set(seen.map((one) => one.service))].map((service) => ({
      name: partName(service),
      points: seen.filter((one) => one.service === service).map((one) => ({ at: one.at, value: of(one) })),
    }));
  const whole = (/** @type {number} */ value) => number(value);
  const sampled = latest
    ? t("op.decided.about", {
        decided: number(latest.decided),
        sampled: number(latest.sampled),
        orders: number(latest.orders),
        at: minute(latest.start),
      })
    : t(series ? "op.decided.none" : "op.chart.unknown");
  return [
    chart({
      title: t("op.rate"),
      about: t("op.rate.about"),
      lines: [{ name: "", points: points((step) => step.ordersPerSecond) }],
      format: (value) => number(value, { maximumFractionDigits: 1 }),
      least: 1,
      to,
    }),
    chart({
      title: t("op.decided"),
      about: sampled,
      lines: [
        { name: "p50", points: points((step) => step.decidedP50Seconds) },
        { name: "p99", points: points((step) => step.decidedP99Seconds) },
      ],
      format: span,
      seconds: true,
      least: 0.1,
      to,
    }),
    chart({
      title: t("op.outbox"),
      about: t("op.seen"),
      lines: own((one) => one.waiting),
      format: whole,
      least: 10,
      to: now,
    }),
    chart({
      title: t("op.outbox.age"),
      about: t("op.seen"),
      lines: own((one) => one.age),
      format: span,
      seconds: true,
      least: 1,
      to: now,
    }),
    chart({
      title: t("op.parked"),
      about: t("op.seen"),
      lines: own((one) => one.parked),
      format: whole,
      least: 10,
      to: now,
    }),
  ];
}

/** @param {HTMLElement} rows */
function table(rows) {
  const names = [t("op.time"), t("op.rate"), "p50", "p99", t("op.decided.of")];
  return h(
    "table",
    {},
    h("thead", {}, h("tr", {}, ...names.map((name) => h("th", { scope: "col" }, name)))),
    rows,
  );
}

/** @param {Step} step */
function row(step) {
  const seconds = (/** @type {number | null} */ value) => (value === null ? "–" : duration(Number(value)));
  return h(
    "tr",
    {},
    h("th", { scope: "row" }, minute(step.start)),
    h("td", {}, number(Number(step.ordersPerSecond), { maximumFractionDigits: 1 })),
    h("td", {}, seconds(step.decidedP50Seconds)),
    h("td", {}, seconds(step.decidedP99Seconds)),
    h("td", {}, `${number(step.decided)} / ${number(step.sampled)} / ${number(step.orders)}`),
  );
}
