/** An operator's act as a form: folded until needed, with an explanation, and carried out only once. */

import { Problem } from "../core/api.js";
import { h } from "../core/dom.js";
import { isWord, t } from "../core/language.js";
import { form } from "../parts/form.js";
import { acted } from "./live.js";

/** @typedef {import("../parts/form.js").Field} Field */

/**
 * @template A
 * @param {{ name: string, label: string, about: string, fields?: Field[], action: string, tone?: "plain" | "danger",
 *   send: (values: Record<string, string>, key: string) => Promise<A>,
 *   done?: (answer: A) => string | undefined, signal: AbortSignal }} act
 *   `about` says what will happen; `done` may return a text that says what has happened.
 */
export function act({ name, label, about, fields = [], action, tone, send, done, signal }) {
  const said = h("p", { class: "small", role: "status" });
  const own = form({
    name,
    fields,
    action,
    tone,
    send: async (values, key) => {
      const empty = fields.filter(({ name, attributes }) => attributes?.["aria-required"] && !values[name]);
      if (empty.length > 0)
        throw fault(...empty.map((field) => ({ field: field.name, message: t("op.required") })));
      return send(values, key).catch((error) => {
        throw error instanceof Problem ? inOwnWords(error) : error;
      });
    },
    done: (answer) => {
      own.reset();
      details.open = false;
      said.textContent = done?.(answer) ?? t("op.done");
      summary.focus();
      acted();
    },
    signal,
  });
  const summary = h("summary", { class: `button ${tone === "danger" ? "danger" : "second"}` }, label);
  const details = h(
    "details",
    // An act that was sent before a reload and has no answer yet is shown unfolded.
    { class: "act", open: own.hasAttribute("data-unanswered") },
    summary,
    h("div", { class: "card" }, h("p", { class: "small" }, about), own),
  );
  return h("div", { class: "act" }, details, said);
}

/**
 * The field for the reason, which is recorded.
 *
 * @param {boolean} required
 * @param {number} [longest]
 * @returns {Field}
 */
export function note(required, longest = 500) {
  const attributes = { maxlength: longest, "aria-required": required && "true" };
  return { name: "note", label: t(required ? "op.note" : "op.note.optional"), attributes };
}

/** A Problem for invalid input. @param {...{ field: string, message: string }} errors */
export function fault(...errors) {
  return new Problem(400, { errors }, null);
}

/**
 * The texts of refusals for operators, where customers see other texts.
 *
 * @param {Problem} problem
 */
function inOwnWords(problem) {
  const word = `op.problem.${problem.code}`;
  if (!isWord(word)) return problem;
  return new Problem(problem.status, { detail: t(word) }, problem.retryAfterS);
}
