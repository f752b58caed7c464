/** Stops calling a backend that keeps failing. Only a missing answer is a failure; a JSON-RPC error is an answer. */
import type { Call, Stage } from "../../core/call.ts";
import { DeniedError, NotStartedYetError, UpstreamError, UpstreamRpcError } from "../../core/errors.ts";
import type { Upstream } from "../../core/upstream.ts";
import type { Breaker, Pass } from "./breaker.ts";
import type { BreakerSettings } from "./schema.ts";

/** @param upstream of several replicas one may fail while others answer: then the server did not fail */
export function breakerStage(
  settings: BreakerSettings,
  breaker: Breaker,
  upstream?: Pick<Upstream, "group">,
): Stage | undefined {
  if (!settings.enabled) return undefined;
  return (call, next) => {
    const pass = breaker.enter();
    if (pass === undefined) return Promise.reject(refusal(call, breaker));
    return next(call).then(
      (answer) => {
        breaker.succeeded(pass);
        return answer;
      },
      (error) => {
        settle(breaker, pass, call, error, upstream?.group?.isSound === true);
        throw error;
      },
    );
  };
}

function settle(breaker: Breaker, pass: Pass, call: Call, error: unknown, hasOthers: boolean): void {
  if (call.signal.aborted || error instanceof NotStartedYetError) breaker.left(pass);
  else if (error instanceof UpstreamRpcError) breaker.succeeded(pass);
  // The server did answer, only too much for us: asking for less must stay possible.
  else if (error instanceof UpstreamError && error.code === "RESULT_TOO_LARGE") breaker.succeeded(pass);
  else if (error instanceof UpstreamError && !hasOthers) breaker.failed(pass, error);
  else breaker.left(pass);
}

function refusal(call: Call, breaker: Breaker): DeniedError {
  const state =
    breaker.state === "open"
      ? `The circuit of server "${call.upstream}" is open after ${breaker.failures} failures in a row`
      : `The circuit of server "${call.upstream}" is half-open and its probe is still running`;
  return new DeniedError("CIRCUIT_OPEN", `${state}; the last failure was: ${breaker.lastFailure}`, {
    hint: "Wait for the server to recover, or use another one",
    data: { server: call.upstream, retry_after_ms: breaker.retryAfterMs },
  });
}
