/** Forms with one button, errors beside their fields, and a change that happens once. */

import { isAbort, Problem } from "../core/api.js";
import { fill, h } from "../core/dom.js";
import { isWord, t } from "../core/language.js";
import { Submission } from "../core/submission.js";
import { refusal } from "./refusal.js";
import { givenUp, unanswered, waiting } from "./unanswered.js";

/**
 * @typedef {{ name: string, label: string, hint?: string, attributes?: import("../core/dom.js").Props,
 *   options?: [value: string, label: string][] }} Field
 *   `name` is the field's name in the API, to which a problem's errors refer. `options` make the field a choice. The
 *   attribute `inputmode: "decimal"` makes it an amount, which may be typed with a comma and spaces.
 */

/**
 * @template A
 * @param {{ name: string, fields: Field[], action: string, label?: string, tone?: "plain" | "second" | "danger" | "quiet",
 *   secret?: boolean,
 *   values?: Record<string, string>, words?: import("./refusal.js").OwnWords,
 *   send: (values: Record<string, string>, key: string) => Promise<A>,
 *   done: (answer: A) => void | Promise<void>, signal: AbortSignal }} form
 *   `name` names the form and its object: "deposit.alice". `label` is the accessible name of the button if `action` is
 *   not clear alone. `values` are sent in addition to the fields; a reload sends them again unchanged. `words` are
 *   texts of refusals that are specific to this form. `secret`: the input is not stored.
 * @returns {HTMLFormElement}
 */
export function form({
  name,
  fields,
  action,
  label,
  tone = "plain",
  secret,
  values = {},
  words,
  send,
  done,
  signal,
}) {
  /** @type {Submission<Record<string, string>>} */
  const submission = new Submission(name, { secret });
  const inputs = new Map(fields.map((field) => [field.name, input(name, field)]));
  const button = h(
    "button",
    { type: "submit", class: tone === "quiet" ? tone : `button ${tone}`, "aria-label": label, onclick: once },
    action,
  );
  const said = h("div", { class: "said", role: "status" });
  let busy = false;

  /** @param {Record<string, string>} given */
  async function submit(given) {
    if (busy) return;
    busy = true;
    element.setAttribute("aria-busy", "true");
    button.setAttribute("aria-disabled", "true");
    for (const { control, fault } of inputs.values()) {
      control.removeAttribute("aria-invalid");
      control.setAttribute("readonly", "");
      fill(fault);
    }
    fill(said);
    const own = new AbortController();
    const stopped = new Promise((_, reject) =>
      own.signal.addEventListener("abort", () => reject(own.signal.reason)),
    );
    const tell = waiting(said, () => own.abort());
    try {
      const sent = submission.send(given, send, tell, AbortSignal.any([signal, own.signal]));
      const answer = /** @type {A} */ (await Promise.race([sent, stopped]));
      if (signal.aborted) return;
      fill(said);
      await done(answer);
    } catch (error) {
      if (signal.aborted) return;
      if (own.signal.aborted) return giveUp();
      if (isAbort(error)) return;
      if (!(error instanceof Problem)) throw error;
      show(error);
    } finally {
      busy = false;
      element.removeAttribute("aria-busy");
      button.removeAttribute("aria-disabled");
      for (const { control } of inputs.values()) control.removeAttribute("readonly");
    }
  }

  function giveUp() {
    submission.forget();
    delete element.dataset.unanswered;
    fill(said, givenUp());
    button.focus();
  }

  /** @param {Problem} problem */
  function show(problem) {
    const blamed = problem.errors.filter((error) => inputs.has(error.field));
    for (const error of blamed) {
      const own = inputs.get(error.field);
      own?.control.setAttribute("aria-invalid", "true");
      const word = `fault.${error.field}`;
      if (own) fill(own.fault, isWord(word) ? t(word) : error.message);
    }
    const first = inputs.get(blamed[0]?.field ?? "");
    if (first) first.control.focus();
    if (blamed.length === 0) fill(said, refusal(problem, words));
  }

  const element = h(
    "form",
    {
      class: "form",
      novalidate: true,
      onkeydown: (/** @type {KeyboardEvent} */ event) => {
        if (event.key === "Enter" && event.repeat) event.preventDefault();
      },
      onsubmit: (/** @type {SubmitEvent} */ event) => {
        event.preventDefault();
        const typed = [...inputs].map(([key, { control }]) => [key, typedIn(control)]);
        submit({ ...values, ...Object.fromEntries(typed) });
      },
    },
    ...[...inputs.values()].map((one) => one.element),
    button,
    said,
  );
  const pending = submission.pending();
  if (pending) {
    const { values, at, old } = pending;
    for (const [key, { control }] of inputs) control.value = values[key] ?? "";
    // Code that folds forms leaves this one open.
    element.dataset.unanswered = "";
    if (old)
      fill(
        said,
        unanswered(at, () => submit(values), giveUp),
      );
    else submit(values);
  }
  return element;
}

/**
 * Ignores the second click of a double click, even if the answer to the first click came in between.
 *
 * @param {MouseEvent} event
 */
export function once(event) {
  if (event.detail > 1) event.preventDefault();
}

/** @param {HTMLInputElement | HTMLSelectElement} control */
function typedIn(control) {
  const text = control.value.trim();
  return control.inputMode === "decimal" ? text.replace(/\s/g, "").replace(",", ".") : text;
}

/**
 * @param {string} form
 * @param {Field} field
 */
function input(form, { name, label, hint, attributes = {}, options }) {
  const id = `${form}.${name}`.replace(/[^\w.-]/g, "_");
  const fault = h("p", { class: "fault", id: `${id}.fault`, role: "alert" });
  const described = {
    id,
    name,
    "aria-describedby": hint ? `${id}.hint ${id}.fault` : `${id}.fault`,
    ...attributes,
  };
  const control = options
    ? h("select", described, ...options.map(([value, text]) => h("option", { value }, text)))
    : h("input", { autocomplete: "off", ...described });
  const element = h(
    "div",
    { class: "field" },
    h("label", { for: id }, label),
    control,
    hint && h("p", { class: "hint", id: `${id}.hint` }, hint),
    fault,
  );
  return { element, control, fault };
}
