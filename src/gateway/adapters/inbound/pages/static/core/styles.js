/** Loads the styles that only some views need, together with those views. */

import { h } from "./dom.js";

/** @type {Map<string, Promise<void>>} */
const loaded = new Map();

/** @param {string[]} files  Resolves also when they cannot be loaded: a plain page is better than none. */
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
