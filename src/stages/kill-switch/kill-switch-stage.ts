/** Refuses calls to what an operator switched off, or what used up its error budget, and counts how calls end. */
import type { Call, Stage } from "../../core/call.ts";
import { DeniedError, NotStartedYetError, UpstreamError, UpstreamRpcError } from "../../core/errors.ts";
import { toolName } from "../tool-name.ts";
import type { KillSwitch } from "./kill-switch.ts";

const internalError = -32_603;

export function killSwitchStage(killSwitch: KillSwitch): Stage {
  return (call, next) => {
    const tool = toolName(call);
    const restMs = killSwitch.restMs;
    if (restMs > 0) return Promise.reject(serverRefusal(call, killSwitch, restMs));
    const toolRestMs = tool === undefined ? 0 : killSwitch.toolRestMs(tool);
    if (toolRestMs > 0) return Promise.reject(toolRefusal(call, tool as string, toolRestMs));
    return next(call).then(
      (answer) => {
        killSwitch.succeeded(tool);
        return answer;
      },
      (error) => {
        if (!call.signal.aborted && !(error instanceof NotStartedYetError)) count(killSwitch, tool, error);
        throw error;
      },
    );
  };
}

/** What a policy refused, or a defect of ours, says nothing about the backend. */
function count(killSwitch: KillSwitch, tool: string | undefined, error: unknown): void {
  if (error instanceof UpstreamRpcError) {
    if (error.rpc.code === internalError) killSwitch.failedInside(tool);
    else killSwitch.succeeded(tool);
  } else if (error instanceof UpstreamError) {
    if (error.code === "UPSTREAM_CLOSED" || error.code === "UPSTREAM_START_FAILED") killSwitch.lost();
    else killSwitch.failed(tool);
  }
}

function serverRefusal({ upstream: server }: Call, { isKilled }: KillSwitch, restMs: number): DeniedError {
  const why = isKilled ? "was switched off by an operator" : "is switched off because most of its calls failed";
  return new DeniedError("SERVER_DISABLED", `Server "${server}" ${why}`, {
    hint: isKilled ? "Use another server until it is revived" : "Use another server, or wait until it is tried again",
    data: { server, ...(Number.isFinite(restMs) && { retry_after_ms: Math.ceil(restMs) }) },
  });
}

function toolRefusal({ upstream: server }: Call, tool: string, restMs: number): DeniedError {
  return new DeniedError(
    "TOOL_RESTING",
    `Tool "${tool}" of server "${server}" is left alone because most of its calls failed`,
    {
      hint: "Use another tool, or wait until it is tried again",
      data: { server, ...(Number.isFinite(restMs) && { retry_after_ms: Math.ceil(restMs) }) },
    },
  );
}
