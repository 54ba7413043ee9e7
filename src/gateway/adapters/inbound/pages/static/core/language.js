/** The text of the pages, and the format of money, times and numbers, in the chosen language. */

import { dates, numbers } from "./formats.js";

/**
 * @typedef {typeof import("../words/en.js").default & typeof import("../words/refusals.en.js").default
 *   & typeof import("../words/customer.en.js").default
 *   & typeof import("../words/operator.en.js").default
 *   & typeof import("../words/operator.audit.en.js").default} English
 * @typedef {keyof English} Word
 * @typedef {"en" | "ru"} Language
 * @typedef {Record<string, string | number>} Values
 */

/** @type {Intl.DateTimeFormatOptions} */
const CLOCK = { hour: "numeric", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 2 };
const KEPT = "shop.language";
/** @type {Record<Language, () => Promise<{ default: Partial<Record<Word, string>> }[]>>} */
const FILES = {
  en: () => Promise.all([import("../words/en.js"), import("../words/refusals.en.js")]),
  ru: () => Promise.all([import("../words/ru.js"), import("../words/refusals.ru.js")]),
};
/** @type {Set<() => void>} */
const listeners = new Set();

/** @returns {Language} */
function wished() {
  const kept = localStorage.getItem(KEPT);
  if (kept === "en" || kept === "ru") return kept;
  const first = navigator.languages.find((tag) => /^(en|ru)\b/i.test(tag)) ?? "en";
  return first.toLowerCase().startsWith("ru") ? "ru" : "en";
}

/**
 * @param {Language} which
 * @returns {Promise<Record<Word, string>>}
 */
async function wordsOf(which) {
  const files = await FILES[which]();
  return Object.assign({}, ...files.map((file) => file.default));
}

/** @type {Language} */
let current = wished();
let words = await wordsOf(current);

/** @param {Partial<Record<Word, string>>} more  Words of pages that are loaded later, in the current language. */
export function learn(more) {
  Object.assign(words, more);
}

/** The current language. */
export function language() {
  return current;
}

/** @param {Language} chosen  For every window. */
export async function choose(chosen) {
  localStorage.setItem(KEPT, chosen);
  await change(chosen);
}

/** @param {() => void} changed  Called when the language has changed. */
export function onLanguage(changed) {
  listeners.add(changed);
}

/** @param {Language} to */
async function change(to) {
  words = await wordsOf(to);
  current = to;
  for (const changed of listeners) changed();
}

addEventListener("storage", (event) => {
  if (event.key === KEPT) change(wished());
});

/**
 * The text of a word. `{name}` stands for a value; `{n|one|few|many}` picks the plural form of the number `n` by
 * the language's rules (CLDR: English has two forms, Russian three). A word that is missing here, such as a status
 * of a newer service, is shown as it is.
 *
 * @param {Word} word
 * @param {Values} [values]
 */
export function t(word, values = {}) {
  const text = words[word] ?? word.slice(word.lastIndexOf(".") + 1);
  return text.replace(/\{(\w+)((?:\|[^|}]*)+)?\}/g, (_, name, forms) =>
    forms ? plural(Number(values[name]), forms.slice(1).split("|")) : String(values[name]),
  );
}

/**
 * Whether the word exists. A newer service may send a reason or a code that this page does not know.
 *
 * @param {string} word
 * @returns {word is Word}
 */
export function isWord(word) {
  return Object.hasOwn(words, word);
}

/**
 * @param {number} n
 * @param {string[]} forms
 */
function plural(n, forms) {
  const names = current === "ru" ? ["one", "few", "many"] : ["one", "other"];
  const at = names.indexOf(new Intl.PluralRules(current).select(n));
  return forms[at === -1 ? forms.length - 1 : at] ?? "";
}

/**
 * @param {string | number} amount  In units of the currency; as text it is exact.
 * @param {string} currency
 * @param {{ signed?: boolean }} [options]  `signed`: an amount above 0 gets a plus.
 */
export function money(amount, currency, { signed = false } = {}) {
  const format = numbers(current, {
    style: "currency",
    currency,
    currencyDisplay: "narrowSymbol",
    signDisplay: signed ? "exceptZero" : "auto",
    // The shop writes two digits in every currency, even the yen.
    minimumFractionDigits: 2,
    maximumFractionDigits: 2,
  });
  return format.format(/** @type {number} */ (amount)); // Text is formatted exactly (ECMA-402, 16.5).
}

/** @param {string} at  RFC 3339. */
export function moment(at) {
  return dates(current, { dateStyle: "medium", timeStyle: "medium" }).format(new Date(at));
}

/** @param {string} at  RFC 3339. For lists, where a minute is enough. */
export function minute(at) {
  return dates(current, { dateStyle: "medium", timeStyle: "short" }).format(new Date(at));
}

/** @param {string} at  RFC 3339. The time of the day, to a hundredth of a second. */
export function clock(at) {
  const format = dates(current, CLOCK);
  return format.format(new Date(at));
}

/**
 * @param {number} value
 * @param {Intl.NumberFormatOptions} [options]
 */
export function number(value, options) {
  return numbers(current, options).format(value);
}

/** @param {number} seconds */
export function duration(seconds) {
  const digits = seconds < 10 ? 1 : 0;
  return number(seconds, {
    style: "unit",
    unit: "second",
    unitDisplay: "short",
    maximumFractionDigits: digits,
  });
}
