/** The calls that run now: each ends with its caller, its timeout or the upstream, whichever comes first. */

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

  /** @throws Refusal after `timeoutMs`, the caller's abort error, the reason given to {@link close}, or what the work throws */
  async run<T>(work: (ended: AbortSignal) => Promise<T>, timeoutMs: number, caller: CancelSignal): Promise<T> {
    if (caller.aborted) throw abortError(caller);
    const call = new AbortController();
    const onAbort = () => call.abort(abortError(caller));
    caller.addEventListener("abort", onAbort);
    const cancelTimer = this.#clock.after(timeoutMs, () =>
      call.abort(new Refusal(`The API did not answer within ${timeoutMs / 1_000} s`)),
    );
    this.#running.add(call);
    try {
      return await unlessAborted(work(call.signal), call.signal);
    } finally {
      caller.removeEventListener("abort", onAbort);
      cancelTimer();
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

/** Ends the waiting at once also where the work cannot be ended: a DNS query runs until the system gives up. */
function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    work.then(resolve, reject);
  });
}
