/** One parked message, and the operators' acts on it. */

import { call } from "../core/api.js";
import { h } from "../core/dom.js";
import { number, t } from "../core/language.js";
import { to } from "../core/router.js";
import { act, note } from "./act.js";
import { facts, isId, orderLink, partName } from "./frame.js";
import { morph } from "./live.js";
import { followed } from "./operations.js";
import { ago } from "./times.js";
import { reasonOfParking } from "./wording.js";

/**
 * @typedef {import("../core/api.js").Schemas["ParkedMessage"]} Message
 * @typedef {import("../core/router.js").Context} Context
 */

/**
 * @param {Message} first
 * @param {Context} context
 * @param {HTMLElement} outcomes  Where the progress of an operation is shown. The message itself may be gone by then.
 */
export function messageCard(first, { session, signal }, outcomes) {
  const about = h("div", { class: "stack" });
  const path = { id: first.id };
  /** @param {import("./operations.js").Operation} operation */
  const begun = (operation) => {
    outcomes.prepend(followed(operation, signal));
    return "";
  };
  const acts = session.mayOperate && [
    act({
      name: `operator.replay.${first.id}`,
      label: t("op.replay"),
      about: t("op.replay.about"),
      action: t("op.replay.go"),
      send: () => call("post", "/ops/parked/{id}/replay", { path }),
      done: ({ data }) => begun(data),
      signal,
    }),
    act({
      name: `operator.discard.${first.id}`,
      label: t("op.discard"),
      about: t("op.discard.about", { n: 1 }),
      fields: [note(true, 1000)],
      action: t("op.discard.go", { n: 1 }),
      tone: "danger",
      send: ({ note = "" }) => call("post", "/ops/parked/{id}/discard", { path, body: { note } }),
      done: ({ data }) => begun(data),
      signal,
    }),
  ];
  const element = h("article", { class: "card" }, about, h("div", { class: "acts" }, ...(acts || [])));
  const show = (/** @type {Message} */ message) => morph(about, ...told(message));
  show(first);
  return { element, show };
}

/** @param {Message} message */
function told(message) {
  const { subject, payload, size } = message;
  return [
    h("h3", {}, reasonOfParking(message.reason)),
    facts(
      [t("op.service"), partName(message.service)],
      [t("op.type"), message.type || t("op.none")],
      [t("op.subject"), isId(subject) ? orderLink(subject) : subject || t("op.none")],
      [t("op.detail"), message.detail],
      [t("op.count"), number(message.count)],
      [t("op.last"), ago(message.lastAt)],
      [t("op.group"), h("a", { href: to("operator", "messages", message.group) }, t("op.group.see"))],
    ),
    h(
      "details",
      {},
      h("summary", {}, t("op.content", { size: number(size) })),
      h(
        "pre",
        {
          class: "scroll",
          tabindex: "0",
          role: "region",
          "aria-label": `${t("op.content.label")} ${message.id}`,
        },
        pretty(payload),
      ),
      new TextEncoder().encode(payload).length < size &&
        h("p", { class: "soft small" }, t("op.content.beginning")),
    ),
  ];
}

/** @param {string} payload  JSON, its beginning, or anything. */
function pretty(payload) {
  try {
    JSON.parse(payload);
  } catch {
    return payload;
  }
  // Only white space between tokens changes; numbers and strings stay as they are in the message.
  return indented(payload);
}

/** @param {string} json */
function indented(json) {
  let depth = 0;
  const line = () => `\n${"  ".repeat(depth)}`;
  return json.replace(/"(?:\\.|[^"\\])*"|[^\s"]|\s+/g, (part) => {
    if (/^\s/.test(part)) return "";
    if (part === "{" || part === "[") {
      depth += 1;
      return part + line();
    }
    if (part === "}" || part === "]") {
      depth -= 1;
      return line() + part;
    }
    if (part === ",") return part + line();
    return part === ":" ? ": " : part;
  });
}

/**
 * The parked messages about an order. The API has no filter for that, so the list of all is searched, up to some
 * thousands.
 *
 * @param {string} id
 * @param {AbortSignal} signal
 * @returns {Promise<Message[]>}
 */
export async function messagesOf(id, signal) {
  /** @type {Message[]} */
  const found = [];
  /** @type {string | null | undefined} */
  let after;
  for (let page = 0; page < 10 && after !== null; page += 1) {
    const answer = await call("get", "/ops/parked", { query: { limit: 500, after }, signal });
    found.push(...answer.data.messages.filter(({ subject }) => subject === id));
    after = answer.next;
  }
  return found;
}
