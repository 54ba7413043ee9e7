/** What operators did, the newest first. */

import { call } from "../core/api.js";
import { h } from "../core/dom.js";
import { t } from "../core/language.js";
import { to } from "../core/router.js";
import { frame, orderLink, pages, partName, staff, unknownNotice, userLink } from "./frame.js";
import { live, morph } from "./live.js";
import { stamp } from "./times.js";
import { didText } from "./wording.js";

/** @typedef {import("../core/api.js").Schemas["RecordedAct"]} Act */

export default staff(async (context) => {
  const { query, signal } = context;
  const after = query.get("after") ?? "";
  const list = h("div", { class: "stack" });
  const said = await live(10_000, signal, async () => {
    const { data, next } = await call("get", "/ops/record", { query: { after, limit: 50 }, signal });
    morph(
      list,
      unknownNotice(data.unknown),
      data.acts.length > 0
        ? h("ul", { class: "rows of-acts" }, ...data.acts.map(line))
        : h("p", { class: "soft" }, t("op.record.none")),
      pages(to("operator", "record"), { after }, next, "op.older"),
    );
  });
  return frame(context, t("op.record"), h("p", { class: "soft" }, t("op.record.about")), said, list);
});

/** @param {Act} act */
function line({ at, did, operator, subject, userId, about, note, service, through }) {
  const ofOrder = did === "cancel_order" || did === "place_order";
  const ofMessages = did === "replay_messages" || did === "discard_messages";
  return h(
    "li",
    {},
    h("span", { class: "small" }, stamp(at)),
    h(
      "div",
      { class: "stack" },
      h("p", {}, h("b", {}, didText(did)), userId && " · ", userId && userLink(userId)),
      ofOrder && h("p", { class: "small" }, orderLink(subject)),
      about && h("p", { class: "small soft free" }, about),
      note && h("p", { class: "free" }, note),
      ofMessages &&
        h(
          "p",
          { class: "small" },
          h("a", { href: to("operator", "operations", subject) }, t("op.operation.see")),
        ),
    ),
    h(
      "span",
      { class: "small free" },
      operator,
      h("br", {}),
      h("span", { class: "soft" }, [service && partName(service), through].filter(Boolean).join(", ")),
    ),
  );
}
