/** Aborting, as errors of ours. */
import type { CancelSignal } from "../lib/cancellation.ts";
import { CancelledError, GatewayError } from "./errors.ts";

/** What a request rejects with when its signal aborts: a reason of ours (a timeout, a shutdown) as it is, anything else as a cancellation. */
export function abortError(signal: CancelSignal): GatewayError {
  const reason: unknown = signal.reason;
  return reason instanceof GatewayError ? reason : new CancelledError(undefined, { cause: reason });
}

/** The promise, or {@link abortError} if the signal comes first. What the promise stands for goes on. */
export function untilAborted<T>(promise: Promise<T>, signal: CancelSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(abortError(signal));
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort);
  });
}
