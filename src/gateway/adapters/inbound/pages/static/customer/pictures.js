/** Small drawn pictures of the goods. Their colours are classes, so they follow the light or dark scheme. */

import { h, s } from "../core/dom.js";

/**
 * @typedef {"coffee" | "bread" | "honey" | "notebook" | "tulips" | "teapot" | "scarf" | "bicycle" | "parcel"} Picture
 * @typedef {[kind: "a" | "b" | "c" | "line" | "thin", path: string][]} Shapes
 *   Shapes in a field of 120 x 90, from back to front: filled with the picture's colour, with a deep one, with a
 *   pale one, or as a line.
 */

/** @type {Record<Picture, [tone: string, shapes: Shapes]>} */
const DRAWN = {
  coffee: [
    "clay",
    [
      ["b", "M28 75h60v2a5 5 0 0 1-5 5H33a5 5 0 0 1-5-5z"],
      ["line", "M78 46h5a8.5 8.5 0 0 1 0 17h-7"],
      ["a", "M36 38h44v17a18 18 0 0 1-18 18h-8a18 18 0 0 1-18-18z"],
      ["c", "M36 38h44v6H36z"],
      ["thin", "M49 30c-4-5 4-8 0-13M58 30c-4-5 4-8 0-13M67 30c-4-5 4-8 0-13"],
    ],
  ],
  bread: [
    "sand",
    [
      ["b", "M16 68h88v4a4 4 0 0 1-4 4H20a4 4 0 0 1-4-4z"],
      ["a", "M26 68c-9-4-12-26 4-33 17-8 43-8 60 0 16 7 13 29 4 33z"],
      ["thin", "M40 38l8 15M56 35l8 15M72 36l8 15"],
    ],
  ],
  honey: [
    "sand",
    [
      ["a", "M46 33h28c7 3 10 8 10 14v22a9 9 0 0 1-9 9H45a9 9 0 0 1-9-9V47c0-6 3-11 10-14z"],
      ["b", "M42 20h36a3 3 0 0 1 3 3v7a3 3 0 0 1-3 3H42a3 3 0 0 1-3-3v-7a3 3 0 0 1 3-3z"],
      ["c", "M60 42l11 6.5v13L60 68l-11-6.5v-13z"],
    ],
  ],
  notebook: [
    "sky",
    [
      ["b", "M40 16h42a5 5 0 0 1 5 5v50a5 5 0 0 1-5 5H40z"],
      ["a", "M36 14h42a5 5 0 0 1 5 5v50a5 5 0 0 1-5 5H36a3 3 0 0 1-3-3V17a3 3 0 0 1 3-3z"],
      ["c", "M46 25h28v16H46z"],
      ["thin", "M50 30h20M50 36h13"],
      ["line", "M29 24h8M29 37h8M29 50h8M29 63h8"],
    ],
  ],
  tulips: [
    "rose",
    [
      ["line", "M60 80V42M60 74C50 70 43 62 42 50M60 74c10-4 17-12 18-24"],
      ["a", "M49 18l5.5 5L60 15l5.5 8 5.5-5v14a11 11 0 0 1-22 0z"],
      ["b", "M29 29l6 4 4-9 7 7 4-6 3 13a11 11 0 0 1-21.5 5z"],
      ["b", "M91 29l-6 4-4-9-7 7-4-6-3 13a11 11 0 0 0 21.5 5z"],
    ],
  ],
  teapot: [
    "sky",
    [
      ["line", "M40 40c-18-6-20 22-1 23M82 52c11 0 8-15 17-17"],
      ["a", "M36 52c0-14 10-22 24-22s24 8 24 22c0 12-6 21-13 23H49c-7-2-13-11-13-23z"],
      ["b", "M46 32c1-6 7-9 14-9s13 3 14 9zM56.5 20a3.5 3.5 0 1 1 7 0 3.5 3.5 0 0 1-7 0z"],
      ["c", "M36 52h48c0 3 0 5-1 8H37c-1-3-1-5-1-8z"],
    ],
  ],
  scarf: [
    "rose",
    [
      ["b", "M62 38h17v30H62z"],
      ["a", "M42 38h17v38H42z"],
      ["a", "M31 26c12-12 46-12 58 0 3 6 2 11-3 17-11-9-41-9-52 0-5-6-6-11-3-17z"],
      ["c", "M42 56h17v6H42zM62 52h17v6H62z"],
      ["thin", "M44 76v6M50.5 76v6M57 76v6M64 68v6M70.5 68v6M77 68v6"],
    ],
  ],
  bicycle: [
    "sage",
    [
      ["thin", "M18 60a17 17 0 1 1 34 0 17 17 0 0 1-34 0zM68 60a17 17 0 1 1 34 0 17 17 0 0 1-34 0z"],
      ["line", "M35 60l13-26h27L58 60zM58 60L46 29M85 60L74 26h9M40 28h12"],
      ["b", "M54 60a4 4 0 1 1 8 0 4 4 0 0 1-8 0z"],
    ],
  ],
  parcel: [
    "sage",
    [
      ["a", "M30 32h60v38a5 5 0 0 1-5 5H35a5 5 0 0 1-5-5z"],
      ["b", "M34 18h52l6 14H28z"],
      ["c", "M53 18h14v28H53z"],
    ],
  ],
};

/** @param {Picture} name */
export function picture(name) {
  const [tone, shapes] = DRAWN[name];
  return s(
    "svg",
    { class: `art ${tone}`, viewBox: "0 0 120 90", "aria-hidden": "true", focusable: "false" },
    shapes.map(([kind, d]) => s("path", { class: kind, d })),
  );
}

/** Several pictures together, beside the forms that come before the goods. */
export function shelf() {
  /** @type {Picture[]} */
  const some = ["coffee", "tulips", "teapot", "bicycle"];
  return h("div", { class: "shelf", "aria-hidden": "true" }, some.map(picture));
}
