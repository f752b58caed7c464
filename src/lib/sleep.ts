/** A pause that ends early, by rejecting, when the work it belongs to is aborted. */
import type { CancelSignal } from "./cancellation.ts";
import type { Clock } from "./clock.ts";

/** Rejects with the signal's reason, at once if it is aborted already; leaves neither timer nor listener behind. */
export function sleep(ms: number, signal: CancelSignal, clock: Clock): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const onAbort = () => {
      cancelTimer();
      reject(signal.reason);
    };
    const cancelTimer = clock.after(ms, () => {
      signal.removeEventListener("abort", onAbort);
      resolve();
    });
    signal.addEventListener("abort", onAbort);
  });
}
