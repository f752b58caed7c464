/** Holds each client session to so many calls, so much time, and the backends, tools and payloads meant for it. */
import type { Call, Stage } from "../../core/call.ts";
import { DeniedError } from "../../core/errors.ts";
import { globMatches } from "../../lib/glob.ts";
import { toolName } from "../tool-name.ts";
import type { SessionSandboxSettings } from "./schema.ts";
import type { SessionUsage } from "./session-usage.ts";

const encoder = new TextEncoder();

export function sessionSandboxStage(
  settings: SessionSandboxSettings,
  usage: SessionUsage | undefined,
): Stage | undefined {
  if (!settings.enabled || usage === undefined) return undefined;
  return (call, next) => {
    const refusal = objection(call, settings) ?? spent(call, settings, usage);
    return refusal === undefined ? next(call) : Promise.reject(refusal);
  };
}

function objection(call: Call, settings: SessionSandboxSettings): DeniedError | undefined {
  const { upstream: server, params } = call;
  const { allowed_backends, denied_tools, max_payload_bytes } = settings;
  if (allowed_backends !== undefined && !allowed_backends.some((pattern) => globMatches(pattern, server)))
    return refused(call, "FORBIDDEN", `Sessions may not use server "${server}"`, "allowed_backends");
  const tool = toolName(call);
  const isDenied = (pattern: string) =>
    tool !== undefined && (globMatches(pattern, tool) || globMatches(pattern, `${server}:${tool}`));
  if (denied_tools.some(isDenied))
    return refused(call, "FORBIDDEN", `Sessions may not call tool "${tool}" of server "${server}"`, "denied_tools");
  if (max_payload_bytes === undefined) return undefined;
  const bytes = encoder.encode(JSON.stringify(params ?? {})).byteLength;
  if (bytes <= max_payload_bytes) return undefined;
  const message = `The parameters have ${bytes} bytes, and sessions may send ${max_payload_bytes}`;
  return refused(call, "SESSION_LIMIT", message, "max_payload_bytes");
}

/** Counts the call where it is let through. A request without a session has nothing to use up. */
function spent(call: Call, settings: SessionSandboxSettings, usage: SessionUsage): DeniedError | undefined {
  const { max_calls, max_duration } = settings;
  if (call.sessionId === undefined || (max_calls === undefined && max_duration === undefined)) return undefined;
  const used = usage.of(call.sessionId);
  if (max_duration !== undefined && usage.ageMs(used) > max_duration)
    return refused(call, "SESSION_LIMIT", `The session is older than ${max_duration / 1_000} s`, "max_duration");
  if (max_calls !== undefined && used.calls >= max_calls)
    return refused(call, "SESSION_LIMIT", `The session has made its ${max_calls} calls`, "max_calls");
  used.calls++;
  return undefined;
}

function refused(call: Call, code: "FORBIDDEN" | "SESSION_LIMIT", message: string, setting: string): DeniedError {
  return new DeniedError(code, message, {
    hint: `An operator can change that with security.session_sandbox.${setting}`,
    data: { server: call.upstream },
  });
}
