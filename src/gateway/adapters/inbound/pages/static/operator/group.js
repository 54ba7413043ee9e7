/** A group of parked messages that failed for the same reason, with forms to hold, release, replay or discard it. */

import { call, Problem } from "../core/api.js";
import { h } from "../core/dom.js";
import { t } from "../core/language.js";
import { to } from "../core/router.js";
import { act, note } from "./act.js";
import { frame, pages, staff } from "./frame.js";
import { groupFigures, groupTitle } from "./groups.js";
import { keyed, live, morph } from "./live.js";
import { messageCard } from "./message.js";
import { followed } from "./operations.js";

/** @typedef {import("../core/api.js").Schemas["ParkedGroup"]} Group */

export default staff(async (context) => {
  const {
    params: [id = ""],
    query,
    session,
    signal,
  } = context;
  const after = query.get("after") ?? "";
  const about = h("div", { class: "card" });
  const outcomes = h("div", { class: "stack" });
  const messages = h("div", { class: "stack" });
  const further = h("div", { class: "stack" });
  const acts = h("div", { class: "acts" });
  const showMessages = keyed(
    messages,
    (message) => message.id,
    (message) => messageCard(message, context, outcomes),
  );
  const showActs = keyed(
    acts,
    (/** @type {string} */ choice) => choice,
    (choice) => ({ element: made(choice, id, outcomes, signal), show: () => {} }),
  );
  let title = t("op.group");
  const said = await live(5000, signal, async () => {
    const { data: page, next } = await call("get", "/ops/parked", {
      query: { group: id, after, limit: 20 },
      signal,
    });
    const group = await found(id, signal);
    if (group) title = groupTitle(group);
    morph(about, ...(group ? shown(group) : [h("p", {}, t("op.group.gone"))]));
    showMessages(page.messages);
    morph(further, pages(to("operator", "messages", id), { after }, next));
    if (session.mayOperate) showActs(group ? choices(group) : []);
  });
  return frame(
    context,
    title,
    said,
    about,
    acts,
    outcomes,
    h("h2", {}, t("op.group.list")),
    messages,
    further,
  );
});

/**
 * @param {string} id
 * @param {AbortSignal} signal
 * @returns {Promise<Group | null>}  Null when no message of the group is parked any more.
 */
async function found(id, signal) {
  try {
    return (await call("get", "/ops/parked/groups/{id}", { path: { id }, signal })).data;
  } catch (error) {
    if (error instanceof Problem && error.status === 404) return null;
    throw error;
  }
}

/** @param {Group} group */
function shown(group) {
  return [h("p", { class: "free" }, group.type || t("op.type.none")), ...groupFigures(group)];
}

/** @param {Group} group */
function choices({ held, messages }) {
  return [held ? "release" : "hold", ...(messages > 0 ? ["replay", "discard"] : [])];
}

/**
 * @param {string} choice
 * @param {string} id
 * @param {HTMLElement} outcomes
 * @param {AbortSignal} signal
 */
function made(choice, id, outcomes, signal) {
  const path = { id };
  const name = `operator.group.${choice}.${id}`;
  const begun = (/** @type {{ data: import("./operations.js").Operation }} */ { data }) => {
    outcomes.prepend(followed(data, signal));
    return "";
  };
  if (choice === "hold")
    return act({
      name,
      label: t("op.hold"),
      about: t("op.hold.about"),
      fields: [
        { name: "owner", label: t("op.owner"), attributes: { maxlength: 200, "aria-required": "true" } },
        { name: "ticket", label: t("op.ticket"), attributes: { maxlength: 1000 } },
        note(false, 1000),
      ],
      action: t("op.hold"),
      send: ({ owner = "", ticket = "", note = "" }) =>
        call("post", "/ops/parked/groups/{id}/hold", { path, body: { owner, ticket, note } }),
      signal,
    });
  if (choice === "release")
    return act({
      name,
      label: t("op.release"),
      about: t("op.release.about"),
      action: t("op.release"),
      send: () => call("post", "/ops/parked/groups/{id}/release", { path }),
      signal,
    });
  if (choice === "replay")
    return act({
      name,
      label: t("op.replay.all"),
      about: t("op.replay.about"),
      action: t("op.replay.all"),
      send: () => call("post", "/ops/parked/groups/{id}/replay", { path }),
      done: begun,
      signal,
    });
  return act({
    name,
    label: t("op.discard.all"),
    about: t("op.discard.all.about"),
    fields: [note(true, 1000)],
    action: t("op.discard.all.go"),
    tone: "danger",
    send: ({ note = "" }) => call("post", "/ops/parked/groups/{id}/discard", { path, body: { note } }),
    done: begun,
    signal,
  });
}
