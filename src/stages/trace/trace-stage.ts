/** Gives every call a span, and the backend the trace it belongs to. */
import type { Call, Next, Stage } from "../../core/call.ts";
import { errorCodeOf, UpstreamRpcError } from "../../core/errors.ts";
import type { Span, Tracer } from "../../core/tracing.ts";
import { isJsonObject } from "../../lib/json.ts";

/** @param tracer `undefined` leaves the stage out; what it gives may come later */
export function traceStage(tracer: (() => Tracer | undefined) | undefined): Stage | undefined {
  if (tracer === undefined) return undefined;
  return (call, next) => {
    const span = tracer()?.spanOfCall(call);
    return span === undefined ? next(call) : within(span, call, next);
  };
}

function within(span: Span, call: Call, next: Next): ReturnType<Next> {
  const meta = call.params?.["_meta"];
  const _meta = { ...(isJsonObject(meta) ? meta : {}), ...span.context };
  return next({ ...call, params: { ...call.params, _meta } }).then(
    (answer) => {
      span.end(answer.isError ? "tool_error" : undefined);
      return answer;
    },
    (error: unknown) => {
      span.end(errorCodeOf(error), error instanceof UpstreamRpcError ? error.rpc.code : undefined);
      throw error;
    },
  );
}
