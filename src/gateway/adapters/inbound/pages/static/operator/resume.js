/** The form that resumes a paused consumer. It stands wherever a pause is shown. */

import { call } from "../core/api.js";
import { t } from "../core/language.js";
import { act, note } from "./act.js";
import { partName } from "./frame.js";

/**
 * @param {string} service
 * @param {AbortSignal} signal
 */
export function resumeAct(service, signal) {
  return act({
    name: `operator.resume.${service}`,
    label: t("op.resume", { service: partName(service) }),
    about: t("op.resume.about"),
    fields: [note(false, 1000)],
    action: t("op.resume.go"),
    send: ({ note = "" }) =>
      call("post", "/ops/consumers/{service}/resume", { path: { service }, body: { note } }),
    signal,
  });
}
