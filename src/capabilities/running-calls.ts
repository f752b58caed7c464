/** The calls that run now: each ends with its caller or the upstream, and every provider it asks after its time. */

import { abortError } from "../core/abort-error.ts";
import type { CancelSignal } from "../lib/cancellation.ts";
import type { Clock } from "../lib/clock.ts";
import { Refusal } from "./refusal.ts";

export class RunningCalls {
  readonly #clock: Clock;
  readonly #running = new Set<AbortController>();
  #onIdle: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#running.size;
  }

  /** @throws the caller's abort error, the reason given to {@link close}, or what the work throws */
  async run<T>(work: (ended: AbortSignal) => Promise<T>, caller: CancelSignal): Promise<T> {
    if (caller.aborted) throw abortError(caller);
    const call = new AbortController();
    const onAbort = () => call.abort(abortError(caller));
    caller.addEventListener("abort", onAbort);
    this.#running.add(call);
    try {
      return await unlessAborted(work(call.signal), call.signal);
    } finally {
      caller.removeEventListener("abort", onAbort);
      this.#running.delete(call);
      if (this.#running.size === 0) this.#onIdle?.();
    }
  }

  /** Lets running calls finish within `graceMs`, then ends the rest. */
  async close(graceMs: number, reason: Error): Promise<void> {
    if (this.#running.size === 0) return;
    await new Promise<void>((resolve) => {
      const cancelTimer = this.#clock.after(graceMs, resolve);
      const before = this.#onIdle;
      this.#onIdle = () => {
        before?.();
        cancelTimer();
        resolve();
      };
    });
    for (const call of this.#running) call.abort(reason);
  }
}

/** @throws Refusal after `timeoutMs`, the signal's reason, or what the work throws */
export async function withinTime<T>(
  work: (ended: AbortSignal) => Promise<T>,
  timeoutMs: number,
  signal: AbortSignal,
  clock: Clock,
): Promise<T> {
  const own = new AbortController();
  const onAbort = () => own.abort(signal.reason);
  if (signal.aborted) onAbort();
  else signal.addEventListener("abort", onAbort);
  const cancelTimer = clock.after(timeoutMs, () =>
    own.abort(
      new Refusal(`The API did not answer within ${timeoutMs / 1_000} s`, undefined, { outcome: "unanswered" }),
    ),
  );
  try {
    return await unlessAborted(work(own.signal), own.signal);
  } finally {
    signal.removeEventListener("abort", onAbort);
    cancelTimer();
  }
}

/** Ends the waiting at once also where the work cannot be ended: a DNS query runs until the system gives up. */
function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) reject(signal.reason);
    else signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    work.then(resolve, reject);
  });
}
