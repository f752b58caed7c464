/** Refuses what the caller may not use. Always on: it is the last check before an upstream, whoever built the call. */
import type { Call, Stage } from "../../core/call.ts";
import { DeniedError } from "../../core/errors.ts";
import { mayUseServer, mayUseTool } from "../../core/scope.ts";
import { toolName } from "../tool-name.ts";

export const scopeStage: Stage = (call, next) => {
  const refusal = refusalOf(call);
  return refusal ? Promise.reject(refusal) : next(call);
};

function refusalOf(call: Call): DeniedError | undefined {
  const { upstream: server, caller } = call;
  if (!mayUseServer(caller, server)) return forbidden(`server "${server}"`, "backends", call);
  if (call.method !== "tools/call") return undefined;
  const tool = toolName(call);
  // A name that is no string could match no rule here and still mean something to the upstream.
  if (tool === undefined)
    return new DeniedError("INVALID_PARAMS", 'The parameters of "tools/call" need a string "name"', {
      data: { server },
    });
  if (mayUseTool(caller, server, tool)) return undefined;
  return forbidden(`tool "${tool}" of server "${server}"`, "allowed_tools and denied_tools", call);
}

function forbidden(target: string, setting: string, call: Call): DeniedError {
  return new DeniedError("FORBIDDEN", `Caller "${call.caller.name}" may not use ${target}`, {
    hint: `An operator can allow it with ${setting} of the caller's API key`,
    data: { server: call.upstream },
  });
}
