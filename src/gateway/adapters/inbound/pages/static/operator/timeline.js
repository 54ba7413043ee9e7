/** The stored facts of an order, sorted by time, with the gaps between them: one lane for each service. */

import { h } from "../core/dom.js";
import { isWord, t } from "../core/language.js";
import { partName } from "./frame.js";
import { clock, span } from "./times.js";
import { didText, reasonOfParking, reasonToEnd, waitTitle } from "./wording.js";

/**
 * @typedef {import("../core/api.js").Schemas["ExplainedOrder"]} Explained
 * @typedef {import("../core/api.js").Schemas["StoredFact"]} Fact
 */

const LANES = ["orders", "payments"];
/** A gap of this length is highlighted. */
const LONG_S = 5;

/** The facts that show a hindrance or a wait that lasts. */
/** @type {Record<string, string>} */
const TONES = {
  parked: "bad",
  blocked: "bad",
  not_running: "bad",
  nameless: "warn",
  backlog: "warn",
  paused: "warn",
  frozen: "warn",
  in_outbox: "warn",
  asks_again: "next",
  act: "act",
};

/** @param {Explained} explained */
export function timeline(explained) {
  const { facts, waits } = explained;
  const now = Date.now();
  const past = facts.filter((fact) => Date.parse(fact.at) <= now);
  const future = facts.slice(past.length);
  /** @type {number | null} */
  let before = null;
  const told = [];
  for (const fact of past) {
    told.push(entry(fact, before === null ? null : (Date.parse(fact.at) - before) / 1000));
    before = Date.parse(fact.at);
  }
  const waited = before === null ? 0 : (now - before) / 1000;
  return h(
    "div",
    { class: "timeline" },
    h(
      "div",
      { class: "lanes", "aria-hidden": "true" },
      h("span", {}, t("op.time")),
      ...LANES.map((lane) => h("span", {}, partName(lane))),
    ),
    h(
      "ol",
      {},
      ...told,
      waits.length > 0 &&
        h(
          "li",
          { class: "now" },
          h("span", { class: "when" }, h("b", {}, t("op.now")), gap(waited)),
          h("span", { class: "across" }, waits.map(waitTitle).join("; ")),
        ),
      ...future.map((fact) => entry(fact, null)),
    ),
  );
}

/**
 * @param {Fact} fact
 * @param {number | null} after  Seconds since the fact before.
 */
function entry(fact, after) {
  const { title, detail } = wordsOf(fact);
  const known = LANES.includes(fact.service);
  return h(
    "li",
    { class: `${known ? `in-${fact.service}` : "across"} ${TONES[fact.what] ?? "done"}` },
    h("span", { class: "when number" }, clock(fact.at), after !== null && gap(after)),
    h(
      "div",
      { class: "fact" },
      h("p", {}, h("span", { class: "unseen lane" }, `${partName(fact.service)}: `), h("b", {}, title)),
      detail && h("p", { class: "free small" }, detail),
      h("p", { class: "soft small" }, t(fact.seen ? "op.seen.in" : "op.source", { source: fact.source })),
    ),
  );
}

/** @param {number} seconds */
function gap(seconds) {
  return h("span", { class: `gap small ${seconds >= LONG_S ? "long" : "soft"}` }, `+${span(seconds)}`);
}

/**
 * @param {Fact} fact
 * @returns {{ title: string, detail: string }}
 */
function wordsOf({ what, detail = "" }) {
  const word = `fact.${what}`;
  const title = isWord(word) ? t(word) : what;
  const [first = "", ...rest] = detail.split(": ");
  const further = rest.join(": ");
  if (what === "status") {
    const status = `status.${first}`;
    return {
      title: `${title}: ${isWord(status) ? t(status) : first}`,
      detail: further && reasonToEnd(further),
    };
  }
  if (what === "decided") {
    const decision = `decision.${first}`;
    return {
      title: `${title}: ${isWord(decision) ? t(decision) : first}`,
      detail: further && reasonToEnd(further),
    };
  }
  if (what === "parked")
    return {
      title,
      detail: [first, reasonOfParking(rest[0] ?? ""), ...rest.slice(1)].filter(Boolean).join(": "),
    };
  if (what === "act") {
    const [, did = "", by = ""] = /^(\S+) by (.*)$/.exec(first) ?? [];
    return did
      ? { title: t("op.did", { did: didText(did), operator: by }), detail: further }
      : { title, detail };
  }
  return { title, detail };
}
