/**
 * Repeats a call that failed, where repeating it is safe and useful. A tool call that may write is never repeated:
 * after a lost connection nobody knows whether it ran, and only the client may decide (basic/transports).
 */
import { abortError } from "../../core/abort-error.ts";
import type { Call, Next, Stage } from "../../core/call.ts";
import { UpstreamError } from "../../core/errors.ts";
import { backoffMs } from "../../lib/backoff.ts";
import type { Clock } from "../../lib/clock.ts";
import { sleep } from "../../lib/sleep.ts";
import type { RetryBudget } from "./retry-budget.ts";
import type { RetrySettings } from "./schema.ts";

export function retryStage(
  settings: RetrySettings,
  budget: RetryBudget,
  clock: Clock,
  random: () => number,
): Stage | undefined {
  // 0 counts as 1: the first attempt is no retry.
  if (!settings.enabled || settings.max_attempts <= 1) return undefined;
  const backoff = {
    initialMs: settings.initial_backoff,
    maxMs: settings.max_backoff,
    multiplier: settings.multiplier,
  };

  /** How long to wait before retry number `retry`; `undefined` when the error is final. */
  function pauseMs(call: Call, error: unknown, retry: number): number | undefined {
    // Refusals of the stages below are DeniedErrors: asking again at once is what they are there to prevent.
    if (!(error instanceof UpstreamError && error.retryable) || call.signal.aborted) return undefined;
    const askedMs = error.retryAfterMs ?? 0;
    const waitMs = Math.max(backoffMs(retry, backoff, random), askedMs);
    const isTooLong = askedMs > settings.max_backoff || clock.now() + waitMs >= call.deadline;
    return isTooLong ? undefined : waitMs;
  }

  async function retryAfter(failure: unknown, call: Call, next: Next): ReturnType<Next> {
    let error = failure;
    for (let retry = 1; retry < settings.max_attempts; retry++) {
      const waitMs = pauseMs(call, error, retry);
      if (waitMs === undefined || !budget.take()) break;
      await sleep(waitMs, call.signal, clock).catch(() => {
        throw abortError(call.signal);
      });
      try {
        return await next(call);
      } catch (again) {
        error = again;
      }
    }
    throw error;
  }

  return (call, next) => {
    budget.countCall();
    return call.safe ? next(call).catch((error) => retryAfter(error, call, next)) : next(call);
  };
}
