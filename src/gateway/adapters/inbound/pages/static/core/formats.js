/** Keeps formatters of Intl by language and options: making one takes as long as using it a hundred times. */

/** @type {Map<string, Intl.DateTimeFormat>} */
const DATES = new Map();
/** @type {Map<string, Intl.NumberFormat>} */
const NUMBERS = new Map();

/**
 * @param {string} language
 * @param {Intl.DateTimeFormatOptions} options
 */
export function dates(language, options) {
  return kept(DATES, language, options, () => new Intl.DateTimeFormat(language, options));
}

/**
 * @param {string} language
 * @param {Intl.NumberFormatOptions} [options]
 */
export function numbers(language, options = {}) {
  return kept(NUMBERS, language, options, () => new Intl.NumberFormat(language, options));
}

/**
 * @template F
 * @param {Map<string, F>} formats
 * @param {string} language
 * @param {object} options
 * @param {() => F} make
 * @returns {F}
 */
function kept(formats, language, options, make) {
  const key = `${language} ${JSON.stringify(options)}`;
  const format = formats.get(key) ?? make();
  formats.set(key, format);
  return format;
}
