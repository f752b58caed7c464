/** Bounds how many calls run at one backend at once, and how many wait. A retrying call keeps its place. */
import { abortError } from "../../core/abort-error.ts";
import type { Answer } from "../../core/answer.ts";
import type { Call, Next, Stage } from "../../core/call.ts";
import { DeniedError } from "../../core/errors.ts";
import type { Clock } from "../../lib/clock.ts";
import type { Semaphore } from "../../lib/semaphore.ts";
import type { ConcurrencySettings } from "./schema.ts";

/** A guess: how soon a place becomes free depends on calls that are still running. */
const retryAfterMs = 1_000;

export function concurrencyStage(
  settings: ConcurrencySettings,
  semaphore: Semaphore,
  clock: Pick<Clock, "now">,
): Stage | undefined {
  if (!settings.enabled) return undefined;

  async function waitForPlace(call: Call): Promise<void> {
    const leftMs = call.deadline - clock.now();
    const place = await semaphore.acquire(Math.min(settings.queue_timeout, leftMs), call.signal).catch(() => {
      throw abortError(call.signal);
    });
    if (place === "acquired") return;
    if (place === "full")
      throw overloaded(
        call,
        `has ${settings.max_concurrent} calls running and ${settings.max_queue} waiting`,
        "max_queue",
      );
    if (settings.queue_timeout <= leftMs)
      throw overloaded(call, `had no free place for ${settings.queue_timeout} ms`, "queue_timeout");
    throw new DeniedError("TIMEOUT", `The call to server "${call.upstream}" reached its deadline while it was queued`, {
      hint: "Send fewer calls at once, or raise server.request_timeout",
      data: { server: call.upstream, retry_after_ms: retryAfterMs },
    });
  }

  const onAnswer = (answer: Answer): Answer => {
    semaphore.release();
    return answer;
  };
  const onError = (error: unknown): never => {
    semaphore.release();
    throw error;
  };
  const run = (call: Call, next: Next) => next(call).then(onAnswer, onError);
  return (call, next) => (semaphore.tryAcquire() ? run(call, next) : waitForPlace(call).then(() => run(call, next)));
}

function overloaded(call: Call, state: string, setting: string): DeniedError {
  return new DeniedError("OVERLOADED", `Server "${call.upstream}" ${state}`, {
    hint: `Send fewer calls at once, or raise failsafe.concurrency.${setting}`,
    data: { server: call.upstream, retry_after_ms: retryAfterMs },
  });
}
