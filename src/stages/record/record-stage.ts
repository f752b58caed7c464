/** Tells an observer which calls run and how every call ended. Outermost, so that refusals of all other stages are seen too. */
import type { Answer } from "../../core/answer.ts";
import type { Call, Stage } from "../../core/call.ts";
import type { CallRecord } from "../../core/call-record.ts";
import type { GatewayErrorCode } from "../../core/error-codes.ts";
import { GatewayError } from "../../core/errors.ts";
import type { Clock } from "../../lib/clock.ts";
import { toolName } from "../tool-name.ts";
import type { CallsUnderWay } from "./calls-under-way.ts";

/** Runs on the path of every call: it must be quick. What it throws is ignored, an observer cannot fail a call. */
export type CallSink = (record: CallRecord, call: Call, answer: Answer | undefined) => void;

export function recordStage(sink: CallSink | undefined, clock: Clock, underWay?: CallsUnderWay): Stage | undefined {
  if (!sink) return undefined;

  function report(
    call: Call,
    startedAtMs: number,
    outcome: CallRecord["outcome"],
    answer: Answer | undefined,
    error?: unknown,
  ): void {
    try {
      const record: CallRecord = {
        requestId: call.requestId,
        caller: call.caller.name,
        agent: call.caller.agent,
        upstream: call.upstream,
        method: call.method,
        tool: toolName(call),
        outcome,
        isError: answer?.isError ?? false,
        keptBy: answer?.keptBy,
        characters: answer?.knownLength,
        reason: error instanceof Error ? error.message : undefined,
        durationMs: clock.now() - startedAtMs,
      };
      sink?.(record, call, answer);
    } catch {
      // Stages never log, and the answer matters more than its statistics.
    }
  }

  return (call, next) => {
    const startedAtMs = clock.now();
    const entry = underWay?.begin(call, startedAtMs);
    return next(call).then(
      (answer) => {
        if (entry !== undefined) underWay?.end(entry);
        report(call, startedAtMs, "OK", answer);
        return answer;
      },
      (error) => {
        if (entry !== undefined) underWay?.end(entry);
        report(call, startedAtMs, outcomeOf(error, call), undefined, error);
        throw error;
      },
    );
  };
}

function outcomeOf(error: unknown, call: Call): GatewayErrorCode {
  if (error instanceof GatewayError) return error.code;
  return call.signal.aborted ? "CANCELLED" : "INTERNAL";
}
