/** Refuses what the caller may not use. Always on: it is the last check before an upstream, whoever built the call. */
import { hiddenByState } from "../../core/audience.ts";
import type { Call, Stage } from "../../core/call.ts";
import { DeniedError } from "../../core/errors.ts";
import { notGranted } from "../../core/granted.ts";
import { mayUseServer, mayUseTool, profileHidesTool, stateHidesTool } from "../../core/scope.ts";
import { toolName } from "../tool-name.ts";

export const scopeStage: Stage = (call, next) => {
  const refusal = refusalOf(call);
  return refusal ? Promise.reject(refusal) : next(call);
};

function refusalOf(call: Call): DeniedError | undefined {
  const { upstream: server, caller } = call;
  if (!mayUseServer(caller, server)) return forbidden(`server "${server}"`, undefined, "backends", call);
  if (call.method !== "tools/call") return undefined;
  const tool = toolName(call);
  // A name that is no string could match no rule here and still mean something to the upstream.
  if (tool === undefined)
    return new DeniedError("INVALID_PARAMS", 'The parameters of "tools/call" need a string "name"', {
      data: { server },
    });
  if (mayUseTool(caller, server, tool)) return undefined;
  if (stateHidesTool(caller, server, tool)) return hiddenByState(server, tool, caller);
  return forbidden(`tool "${tool}" of server "${server}"`, tool, "allowed_tools and denied_tools", call);
}

/** In the same words for what is hidden and for what does not exist. */
function forbidden(target: string, tool: string | undefined, setting: string, call: Call): DeniedError {
  const { caller, upstream: server } = call;
  if (profileHidesTool(caller, server, tool))
    return new DeniedError("FORBIDDEN", `The routing profile "${caller.profile?.name}" has no ${target}`, {
      hint: "An operator can change the profile, or let the session have another one",
      data: { server },
    });
  const ungranted = notGranted(caller, server, tool);
  if (ungranted !== undefined) return ungranted;
  return new DeniedError("FORBIDDEN", `Caller "${caller.name}" may not use ${target}`, {
    hint: `An operator can allow it with ${setting} of the caller's key, rule or policy`,
    data: { server },
  });
}
