/** The goods. Each has an amount in the currency of the account, and a description. */

/**
 * @typedef {{ picture: import("./pictures.js").Picture, amount: string, en: string, ru: string }} Good
 */

/** @type {Good[]} */
export const GOODS = [
  { picture: "coffee", amount: "4.50", en: "A cup of coffee", ru: "Чашка кофе" },
  { picture: "bread", amount: "12.00", en: "A loaf of rye bread", ru: "Буханка ржаного хлеба" },
  { picture: "honey", amount: "18.90", en: "A jar of honey", ru: "Банка мёда" },
  { picture: "notebook", amount: "35.00", en: "A squared notebook", ru: "Тетрадь в клетку" },
  { picture: "tulips", amount: "64.00", en: "A bunch of tulips", ru: "Букет тюльпанов" },
  { picture: "teapot", amount: "120.00", en: "A teapot", ru: "Заварочный чайник" },
  { picture: "scarf", amount: "249.00", en: "A wool scarf", ru: "Шерстяной шарф" },
  { picture: "bicycle", amount: "990.00", en: "A bicycle, used", ru: "Велосипед, подержанный" },
];

/**
 * The good that an order is about, found by the order's description.
 *
 * @param {string} description
 */
export function goodOf(description) {
  return GOODS.find(({ en, ru }) => description === en || description === ru);
}
