/** Texts for the machine words of the services. A word of a newer service that has no text is shown as it is. */

import { isWord, t } from "../core/language.js";
import { partName } from "./frame.js";

/**
 * @param {string} kind  The words' prefix.
 * @param {string} name
 */
function word(kind, name) {
  const known = `${kind}.${name}`;
  return isWord(known) ? t(known) : name;
}

/** @param {import("../core/api.js").Schemas["Wait"]} wait */
export function waitTitle({ why, detail }) {
  const { kind, service } = reasonToWait(why);
  const known = `wait.${kind}`;
  return isWord(known) ? t(known, { service: partName(service) }) : detail;
}

/** What an operator can do about it; empty when this page does not know the wait. @param {string} why */
export function mendText(why) {
  const known = `mend.${reasonToWait(why).kind}`;
  return isWord(known) ? t(known) : "";
}

/**
 * Some reasons begin with the name of a service: `payments_paused`.
 *
 * @param {string} why
 */
function reasonToWait(why) {
  const [, service = "", kind = why] = /^(orders|payments)_(.+)$/.exec(why) ?? [];
  return { kind, service };
}

/** @param {string} did */
export function didText(did) {
  return word("did", did);
}

/** Why an order was cancelled. @param {string} reason */
export function reasonToEnd(reason) {
  return word("ended", reason);
}

/** Why a message waits for an operator. @param {string} reason */
export function reasonOfParking(reason) {
  return word("parking", reason);
}

/** @param {string} kind */
export function findingText(kind) {
  return word("finding", kind);
}

/** @param {string} name */
export function checkText(name) {
  return word("check", name);
}

/** @param {string} phase */
export function phaseText(phase) {
  return word("phase", phase);
}
