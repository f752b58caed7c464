/**
 * Gives each attempt its time: the backend's `timeout`, started anew by every progress notification, and never beyond
 * the call's deadline (basic/lifecycle, "Timeouts"). It aborts the attempt and waits for it to end instead of racing
 * it, so that nothing of it is still running when the caller has its error.
 */

import { abortError } from "../../core/abort-error.ts";
import type { Call, Stage } from "../../core/call.ts";
import { DeniedError, UpstreamError } from "../../core/errors.ts";
import { Cancellation } from "../../lib/cancellation.ts";
import type { Clock } from "../../lib/clock.ts";

export function timeoutStage(timeoutMs: number, clock: Clock): Stage {
  return async (call, next) => {
    const { signal, deadline, onProgress } = call;
    if (signal.aborted) throw abortError(signal);
    const startedAtMs = clock.now();
    if (startedAtMs >= deadline) throw deadlineReached(call);

    const attempt = new Cancellation();
    let timedOut: UpstreamError | undefined;
    // Progress only moves this mark and the timer looks at it when it fires: a chatty backend starts no timers.
    let quietSinceMs = startedAtMs;
    const check = () => {
      const nowMs = clock.now();
      const dueAtMs = Math.min(quietSinceMs + timeoutMs, deadline);
      if (nowMs < dueAtMs) {
        cancelTimer = clock.after(dueAtMs - nowMs, check);
        return;
      }
      timedOut = nowMs < deadline ? attemptTooSlow(call, timeoutMs) : callTooSlow(call, nowMs - startedAtMs);
      attempt.abort(timedOut);
    };
    let cancelTimer = clock.after(Math.min(timeoutMs, deadline - startedAtMs), check);
    const onAbort = () => attempt.abort(signal.reason);
    signal.addEventListener("abort", onAbort);

    const attemptCall: Call = onProgress
      ? {
          ...call,
          signal: attempt,
          onProgress(params) {
            quietSinceMs = clock.now();
            onProgress(params);
          },
        }
      : { ...call, signal: attempt };
    try {
      return await next(attemptCall);
    } catch (error) {
      throw timedOut ?? error;
    } finally {
      cancelTimer();
      signal.removeEventListener("abort", onAbort);
    }
  };
}

function attemptTooSlow({ upstream: server, method }: Call, timeoutMs: number): UpstreamError {
  return new UpstreamError("TIMEOUT", `Server "${server}" did not answer "${method}" within ${timeoutMs} ms`, {
    hint: `Raise backends.${server}.timeout if the server needs longer`,
    data: { server, timeout_ms: timeoutMs },
  });
}

function callTooSlow({ upstream: server, method }: Call, tookMs: number): UpstreamError {
  const ms = Math.round(tookMs);
  return new UpstreamError(
    "TIMEOUT",
    `Server "${server}" did not answer "${method}" in the ${ms} ms left to the call`,
    {
      hint: "Raise server.request_timeout if calls need longer",
      data: { server, timeout_ms: ms },
    },
  );
}

/** Not the server's failure: it was not asked. */
function deadlineReached({ upstream: server, method }: Call): DeniedError {
  return new DeniedError("TIMEOUT", `The call "${method}" reached its deadline before server "${server}" was asked`, {
    hint: "Raise server.request_timeout if calls need longer",
    data: { server },
  });
}
