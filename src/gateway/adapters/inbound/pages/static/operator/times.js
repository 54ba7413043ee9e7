/** Times as operators read them: to the millisecond, and how long ago. */

import { h } from "../core/dom.js";
import { dates } from "../core/formats.js";
import { language, moment, number, t } from "../core/language.js";

/** @type {[seconds: number, unit: string][]} */
const UNITS = [
  [86_400, "day"],
  [3600, "hour"],
  [60, "minute"],
  [1, "second"],
];

/**
 * A length of time in its largest unit, with two figures: "1.5 min".
 *
 * @param {number} seconds
 */
export function span(seconds) {
  const found = UNITS.find(([size]) => seconds >= size);
  const [size, unit] = found ?? [0.001, "millisecond"];
  const value = seconds / size;
  const options = { style: "unit", unit, unitDisplay: unit === "day" ? "long" : "short" };
  const digits = value < 10 && unit !== "millisecond" ? 1 : 0;
  return number(
    value,
    /** @type {Intl.NumberFormatOptions} */ ({ ...options, maximumFractionDigits: digits }),
  );
}

/** @param {string} at  RFC 3339. @returns {number} */
export function age(at) {
  return Math.max(0, (Date.now() - Date.parse(at)) / 1000);
}

/** @param {string} at */
export function ago(at) {
  return time(at, t("op.ago", { span: span(age(at)) }));
}

/**
 * @param {string} at
 * @param {string} [text]  By default the whole date and time.
 */
export function time(at, text = moment(at)) {
  return h("time", { datetime: at, title: moment(at) }, text);
}

/** @param {string} at */
export function stamp(at) {
  const format = dates(language(), {
    day: "numeric",
    month: "short",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
  });
  return time(at, format.format(new Date(at)));
}

/** @param {string} at */
export function clock(at) {
  const format = dates(language(), {
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    fractionalSecondDigits: 3,
  });
  return time(at, format.format(new Date(at)));
}

/** @param {string | number} at */
export function minute(at) {
  return dates(language(), { timeStyle: "medium" }).format(new Date(at));
}
