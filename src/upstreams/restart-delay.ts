/** How long a server that failed is left alone. */
import { backoffMs } from "../lib/backoff.ts";

/** 0.5, 1.5, 4.5, 13.5, 40.5 seconds: whatever the jitter, at most five starts in the first minute (F2). */
const floor = { initialMs: 500, maxMs: 60_000, multiplier: 3 };

/**
 * Milliseconds before start number `failures + 1`. The full jitter comes on top of the floor instead of replacing it:
 * drawing from zero would now and then start a broken program several times in a second.
 */
export function restartDelayMs(failures: number, random: () => number): number {
  return backoffMs(failures, floor, () => 1) + backoffMs(failures, floor, random);
}
