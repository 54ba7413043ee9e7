/** The findings of the audit, in words. */

import { h } from "../core/dom.js";
import { t } from "../core/language.js";
import { facts, orderLink, userLink } from "./frame.js";
import { checkText, findingText } from "./wording.js";

/** @param {import("../core/api.js").Schemas["Finding"]} found */
export function finding({ kind, check, subject, is, shouldBe }) {
  return h(
    "li",
    { class: "card finding" },
    h("h3", {}, findingText(kind)),
    facts(
      [t("op.finding.where"), ...about(subject)],
      [t("op.finding.is"), ...linked(is)],
      [t("op.finding.should"), shouldBe],
      [t("op.finding.check"), `${checkText(check)} (${kind})`],
    ),
  );
}

/**
 * The service's own words for the finding's subject, with links to it.
 *
 * @param {string} subject
 * @returns {import("../core/dom.js").Child[]}
 */
function about(subject) {
  const [, orderId, ofUser] = /^order (\S+) of (\S+)$/.exec(subject) ?? [];
  if (orderId && ofUser)
    return [`${t("op.order")} `, orderLink(orderId), ` ${t("op.of")} `, userLink(ofUser)];
  const [, owner] = /^account of (\S+)$/.exec(subject) ?? [];
  if (owner) return [`${t("op.account.of")} `, userLink(owner)];
  const [, line, payer, id] = /^transfer (\d+) of (\S+) \((\S+)\)$/.exec(subject) ?? [];
  if (line && payer && id)
    return [t("op.transfer.of", { n: line }), " ", userLink(payer), " ", h("span", { class: "id" }, id)];
  return linked(subject);
}

/**
 * @param {string} text
 * @returns {import("../core/dom.js").Child[]}
 */
function linked(text) {
  return text
    .split(/(?<=\border )([0-9a-f-]{36})\b/)
    .map((part, at) => (at % 2 === 1 ? orderLink(part) : part));
}
