/** Small charts of the last 15 minutes. Lines differ by dashes and have names; a table shows the same figures. */

import { h, s } from "../core/dom.js";
import { t } from "../core/language.js";
import { minute } from "./times.js";

/**
 * @typedef {{ at: number, value: number | null }} Point  `at` in ms of the epoch; null where nothing is known.
 * @typedef {{ name: string, points: Point[] }} Line
 */

const WIDE = 320;
const HIGH = 96;
/** Fewer points than this are not drawn, because they look like dirt. */
const POINTS_MIN = 3;
export const SPAN_MS = 15 * 60_000;

/**
 * @param {{ title: string, about: string, lines: Line[], format: (value: number) => string, least: number,
 *   to: number, seconds?: boolean }} chart
 *   `least` is the smallest value at the top of the chart, `to` the end of the chart, in ms since 1970. `seconds`: the
 *   values are durations, so the top is a round number of the unit that they are shown in.
 */
export function chart({ title, about, lines, format, least, to, seconds = false }) {
  const from = to - SPAN_MS;
  const known = lines.flatMap(({ points }) => points.flatMap(({ value }) => value ?? []));
  const highest = Math.max(least, ...known);
  const unit = seconds ? ([3600, 60].find((one) => highest >= one) ?? 1) : 1;
  const top = round(highest / unit) * unit;
  const drawn = Math.max(
    0,
    ...lines.map(({ points }) => points.filter(({ value }) => value !== null).length),
  );
  const collecting = drawn > 0 && drawn < POINTS_MIN;
  const none = lines.every(({ points }) => points.length === 0) ? t("op.chart.unknown") : "–";
  const now = lines.map(({ name, points }) => {
    const value = points.findLast((point) => point.value !== null)?.value ?? null;
    return { name, text: value === null ? none : format(value) };
  });
  const most = known.length > 0 ? format(Math.max(...known)) : none;
  const spoken = now.map(({ name, text }) => `${name} ${text}`.trim()).join(", ");
  return h(
    "figure",
    { class: "card chart" },
    h(
      "figcaption",
      {},
      h("h3", {}, title),
      h(
        "ul",
        { class: "row" },
        ...now.map(({ name, text }, at) =>
          h("li", { class: "number small" }, lines.length > 1 && sample(at), `${name} `, h("b", {}, text)),
        ),
      ),
    ),
    h(
      "div",
      { class: "plot" },
      h("span", { class: "soft small", "aria-hidden": "true" }, format(top)),
      collecting && h("p", { class: "soft collecting" }, t("op.chart.collecting")),
      !collecting && picture(lines, { from, to, top }, t("op.chart.spoken", { title, now: spoken, most })),
      h(
        "span",
        { class: "row apart soft small", "aria-hidden": "true" },
        h("span", {}, minute(from)),
        h("span", {}, minute(to)),
      ),
    ),
    h("p", { class: "soft small" }, about),
  );
}

/**
 * @param {Line[]} lines
 * @param {{ from: number, to: number, top: number }} scale
 * @param {string} spoken
 */
function picture(lines, { from, to, top }, spoken) {
  const x = (/** @type {number} */ at) => (((at - from) / (to - from)) * WIDE).toFixed(1);
  const y = (/** @type {number} */ value) => (HIGH - (value / top) * (HIGH - 4) - 2).toFixed(1);
  const level = (/** @type {number} */ part) =>
    s("line", { class: "level", x1: 0, x2: WIDE, y1: y(top * part), y2: y(top * part) });
  const drawn = lines.map(({ points }, at) => {
    let apart = true;
    const path = points
      .filter((point) => point.at >= from)
      .map(({ at: when, value }) => {
        const [begins, there] = [apart, value !== null];
        apart = !there;
        return value === null ? "" : `${begins ? "M" : "L"}${x(when)} ${y(value)}${begins ? "h1.5" : ""}`;
      });
    return s("path", { class: `curve curve${at}`, d: path.join("") || "M0 0" });
  });
  return s(
    "svg",
    { viewBox: `0 0 ${WIDE} ${HIGH}`, preserveAspectRatio: "none", role: "img", "aria-label": spoken },
    ...[0, 0.5, 1].map(level),
    ...drawn,
  );
}

/** @param {number} at  The number of the line. */
function sample(at) {
  return s(
    "svg",
    { class: "sample", viewBox: "0 0 24 8", "aria-hidden": "true" },
    s("path", { class: `curve curve${at}`, d: "M0 4H24" }),
  );
}

/**
 * The next higher 1, 2 or 5 times a power of ten.
 *
 * @param {number} value
 */
function round(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  const step = [1, 2, 5, 10].find((one) => one * power >= value * 0.999_999) ?? 10;
  return step * power;
}
