/** Tells an observer how every call ended. Outermost, so that refusals of all other stages are seen too. */
import type { Call, Stage } from "../../core/call.ts";
import type { GatewayErrorCode } from "../../core/error-codes.ts";
import { GatewayError } from "../../core/errors.ts";
import type { Clock } from "../../lib/clock.ts";
import { toolName } from "../tool-name.ts";

export interface CallRecord {
  readonly requestId: string;
  /** {@link Caller.name}. */
  readonly caller: string;
  readonly upstream: string;
  readonly method: string;
  /** `undefined` unless the method is `tools/call`. */
  readonly tool: string | undefined;
  /** `OK` for any result the upstream gave, an `isError` result included. */
  readonly outcome: "OK" | GatewayErrorCode;
  /** The message of the error; `undefined` when the outcome is OK. */
  readonly reason: string | undefined;
  /** From entering the pipeline to the answer: queueing, retries and waits included. */
  readonly durationMs: number;
}

/** Runs on the path of every call: it must be quick. What it throws is ignored, an observer cannot fail a call. */
export type CallSink = (record: CallRecord) => void;

export function recordStage(sink: CallSink | undefined, clock: Clock): Stage | undefined {
  if (!sink) return undefined;

  function report(call: Call, startedAtMs: number, outcome: CallRecord["outcome"], error?: unknown): void {
    try {
      sink?.({
        requestId: call.requestId,
        caller: call.caller.name,
        upstream: call.upstream,
        method: call.method,
        tool: toolName(call),
        outcome,
        reason: error instanceof Error ? error.message : undefined,
        durationMs: clock.now() - startedAtMs,
      });
    } catch {
      // Stages never log, and the answer matters more than its statistics.
    }
  }

  return (call, next) => {
    const startedAtMs = clock.now();
    return next(call).then(
      (answer) => {
        report(call, startedAtMs, "OK");
        return answer;
      },
      (error) => {
        report(call, startedAtMs, outcomeOf(error, call), error);
        throw error;
      },
    );
  };
}

function outcomeOf(error: unknown, call: Call): GatewayErrorCode {
  if (error instanceof GatewayError) return error.code;
  return call.signal.aborted ? "CANCELLED" : "INTERNAL";
}
