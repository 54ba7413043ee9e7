/** One operation: who began it, its progress, and its outcome. */

import { call } from "../core/api.js";
import { h } from "../core/dom.js";
import { t } from "../core/language.js";
import { to } from "../core/router.js";
import { facts, frame, staff } from "./frame.js";
import { morph } from "./live.js";
import { told, untilDone } from "./operations.js";
import { time } from "./times.js";

export default staff(async (context) => {
  const {
    params: [id = ""],
    signal,
  } = context;
  const { data } = await call("get", "/ops/operations/{id}", { path: { id }, signal });
  const card = h("div", { class: "card" });
  const progress = h("div", { class: "stack", role: "status" });
  const show = (/** @type {typeof data} */ operation) => {
    morph(progress, ...told(operation).slice(0, -1));
    morph(
      card,
      facts(
        [t("op.about"), operation.about],
        [t("op.operator"), operation.operator],
        operation.note !== "" && [t("op.note"), operation.note],
        [t("op.began"), time(operation.beganAt)],
        operation.endedAt !== null && [t("op.ended"), time(operation.endedAt)],
      ),
    );
  };
  show(data);
  untilDone(data, signal, show);
  const back = h("p", {}, h("a", { href: to("operator", "messages") }, t("op.messages")));
  return frame(context, t("op.operation"), progress, card, back);
});
