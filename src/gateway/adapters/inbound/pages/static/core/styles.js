/** Styles that not everybody needs are loaded with the views that do. */

import { h } from "./dom.js";

/** @type {Map<string, Promise<void>>} */
const loaded = new Map();

/** @param {string[]} files  Resolves once they are there, or could not be had: a plain page is better than none. */
export async function styled(files) {
  await Promise.all(files.map(load));
}

/** @param {string} file */
function load(file) {
  const before = loaded.get(file);
  if (before) return before;
  const { promise, resolve } = /** @type {PromiseWithResolvers<void>} */ (Promise.withResolvers());
  const failed = () => {
    loaded.delete(file);
    resolve();
  };
  document.head.append(
    h("link", { rel: "stylesheet", href: `pages/${file}`, onload: () => resolve(), onerror: failed }),
  );
  loaded.set(file, promise);
  return promise;
}
