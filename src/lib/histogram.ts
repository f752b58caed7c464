/** How values are spread, in a fixed number of counters: some 32 numbers whatever comes, and a few nanoseconds each. */

/** Upper bounds in milliseconds: from half a millisecond to five minutes, a third to a half apart. */
export const latencyBoundsMs: readonly number[] = [
  0.5, 1, 2, 3, 5, 7.5, 10, 15, 20, 30, 50, 75, 100, 150, 200, 300, 500, 750, 1_000, 1_500, 2_000, 3_000, 5_000, 7_500,
  10_000, 15_000, 20_000, 30_000, 60_000, 120_000, 300_000,
];

export class Histogram {
  /** Values up to each bound of {@link latencyBoundsMs} and beyond the one before it; last those beyond all. */
  readonly counts: number[] = new Array<number>(latencyBoundsMs.length + 1).fill(0);
  count = 0;
  sum = 0;

  add(value: number): void {
    let low = 0;
    let high = latencyBoundsMs.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (value <= (latencyBoundsMs[middle] as number)) high = middle;
      else low = middle + 1;
    }
    this.counts[low] = (this.counts[low] as number) + 1;
    this.count++;
    this.sum += value;
  }
}

/**
 * The value below which a share of all lies, spread evenly within its counter; `undefined` of none. What lies beyond the
 * last bound counts as that bound.
 * @param share from 0 to 1
 */
export function quantile(counts: readonly number[], share: number): number | undefined {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) return undefined;
  let left = share * total;
  for (const [at, count] of counts.entries()) {
    if (count > 0 && left <= count) {
      const from = at === 0 ? 0 : (latencyBoundsMs[at - 1] as number);
      const to = latencyBoundsMs[at] ?? from;
      return from + (to - from) * Math.max(0, left / count);
    }
    left -= count;
  }
  return latencyBoundsMs.at(-1);
}
