/**
 * Numbers with a fraction stay text, because an amount may be larger than a float holds exactly.
 *
 * @param {string} text
 */
export function parsed(text) {
  return JSON.parse(text, /** @type {any} */ (exact));
}

/**
 * @param {string} _name
 * @param {unknown} value
 * @param {{ source?: string }} [context]
 */
function exact(_name, value, context) {
  return typeof value === "number" && context?.source?.includes(".") ? context.source : value;
}
