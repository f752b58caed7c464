/** Exponential back-off with full jitter: clients that failed together do not come back together. */

export interface Backoff {
  readonly initialMs: number;
  readonly maxMs: number;
  readonly multiplier: number;
}

/** Milliseconds to wait before retry number `retry` (1 is the first), drawn evenly from 0 up to the back-off. */
export function backoffMs(retry: number, backoff: Backoff, random: () => number = Math.random): number {
  // The growth is capped because 0 * Infinity is not a number.
  const growth = Math.min(backoff.multiplier ** (retry - 1), Number.MAX_VALUE);
  return random() * Math.min(backoff.initialMs * growth, backoff.maxMs);
}
