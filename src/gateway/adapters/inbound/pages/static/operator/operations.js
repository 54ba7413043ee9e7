/** Shows the progress of an operation, which runs in the background, until its outcome. */

import { call, NoAnswer, Problem } from "../core/api.js";
import { h } from "../core/dom.js";
import { number, t } from "../core/language.js";
import { backoffMs, inSight, pause } from "../core/life.js";
import { to } from "../core/router.js";
import { partName } from "./frame.js";
import { morph } from "./live.js";

/** @typedef {import("../core/api.js").Schemas["Operation"]} Operation */

/**
 * @param {Operation} operation
 * @param {AbortSignal} signal
 */
export function followed(operation, signal) {
  const element = h("div", { class: "notice stack", role: "status" });
  morph(element, ...told(operation));
  untilDone(operation, signal, (now) => morph(element, ...told(now)));
  return element;
}

/**
 * @param {Operation} operation
 * @param {AbortSignal} signal
 * @param {(operation: Operation) => void} show
 */
export async function untilDone(operation, signal, show) {
  let now = operation;
  for (let tries = 0; now.state !== "done" && !signal.aborted; tries += 1) {
    try {
      await pause(tries === 0 ? 500 : Math.min(2000, backoffMs(tries, null)), signal);
      await inSight(signal);
      now = (await call("get", "/ops/operations/{id}", { path: { id: now.id }, signal })).data;
      show(now);
    } catch (error) {
      if (!signal.aborted && !(error instanceof NoAnswer || error instanceof Problem)) throw error;
    }
  }
}

/** @param {Operation} operation */
export function told({ id, kind, state, total, passed, done, service }) {
  const left = total - done;
  const text =
    state === "running"
      ? t("op.operation.running", { passed: number(passed), total: number(total) })
      : t(`op.operation.${kind}`, { done: number(done), total: number(total) });
  return [
    h("p", {}, h("b", {}, `${t(`op.${kind}`)}, ${partName(service)}. `), text),
    state === "running" &&
      h("progress", { value: passed, max: Math.max(1, total), "aria-label": t("op.progress") }),
    state === "done" && left > 0 && h("p", {}, t("op.operation.left", { n: left })),
    h("p", { class: "small" }, h("a", { href: to("operator", "operations", id) }, t("op.operation.see"))),
  ];
}
