/** The groups of parked messages. */

import { call } from "../core/api.js";
import { h } from "../core/dom.js";
import { t } from "../core/language.js";
import { to } from "../core/router.js";
import { frame, pages, partName, staff, unknownNotice } from "./frame.js";
import { live, morph } from "./live.js";
import { ago } from "./times.js";
import { reasonOfParking } from "./wording.js";

/** @typedef {import("../core/api.js").Schemas["ParkedGroup"]} Group */

export default staff(async (context) => {
  const { query, signal } = context;
  const after = query.get("after") ?? "";
  const list = h("div", { class: "stack" });
  const said = await live(5000, signal, async () => {
    const { data, next } = await call("get", "/ops/parked/groups", { query: { after, limit: 50 }, signal });
    const empty = data.groups.length === 0 && data.unknown.length === 0;
    morph(
      list,
      unknownNotice(data.unknown),
      empty && h("p", { class: "notice" }, t("op.groups.none")),
      h("ul", { class: "grid wide" }, ...data.groups.map(card)),
      pages(to("operator", "messages"), { after }, next),
    );
  });
  return frame(context, t("op.messages"), h("p", { class: "soft" }, t("op.messages.about")), said, list);
});

/** @param {Group} group */
function card(group) {
  return h(
    "li",
    { class: "card" },
    h("h2", {}, h("a", { href: to("operator", "messages", group.id) }, groupTitle(group))),
    h("p", { class: "small free" }, group.type || t("op.type.none")),
    ...groupFigures(group),
  );
}

/** @param {Group} group */
export function groupTitle({ service, reason }) {
  return `${partName(service)}: ${reasonOfParking(reason)}`;
}

/** @param {Group} group */
export function groupFigures(group) {
  const { held, newestAt, oldestAt, place } = group;
  return [
    h(
      "p",
      { class: "row" },
      h("b", {}, t("op.group.messages", { n: group.messages })),
      h("span", { class: "soft" }, t("op.group.came", { n: group.count })),
      h("span", { class: "soft" }, t(place === "parked" ? "op.place.parked" : "op.place.letters")),
    ),
    oldestAt !== null &&
      newestAt !== null &&
      h(
        "p",
        { class: "soft small" },
        `${t("op.oldest")} `,
        ago(oldestAt),
        `, ${t("op.newest")} `,
        ago(newestAt),
      ),
    held !== null &&
      h(
        "div",
        { class: "notice small" },
        h("p", {}, h("b", {}, t("op.held.by", { owner: held.owner })), held.ticket && ` · ${held.ticket}`),
        held.note && h("p", {}, held.note),
        h("p", {}, `${t("op.held.since", { by: held.heldBy })} `, ago(held.heldAt)),
      ),
  ];
}
