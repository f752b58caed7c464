/** Refuses calls while the record of calls cannot be written, where the operator wants no call that is not on record (T26). */
import type { Stage } from "../../core/call.ts";
import { DeniedError } from "../../core/errors.ts";

/** @param isFailing whether the record cannot be written now; left out, calls do not depend on it */
export function auditStage(isFailing: (() => boolean) | undefined): Stage | undefined {
  if (isFailing === undefined) return undefined;
  return (call, next) =>
    isFailing()
      ? Promise.reject(
          new DeniedError("AUDIT_UNAVAILABLE", "The record of calls cannot be written, and no call may go without", {
            hint: "An operator has to make room, or set security.transparency_log.fail_closed to false",
            data: { server: call.upstream },
          }),
        )
      : next(call);
}
