/** Rate limits that several gateways count together; this one's own bucket counts along, for when it is alone. */
import type { TokenBucket } from "../lib/token-bucket.ts";

export interface SharedLimits {
  /**
   * Takes one token of the bucket of this name. Milliseconds until there is one, 0 when it was taken; `undefined` when
   * the other gateways are out of reach.
   */
  take(name: string, ratePerSecond: number, burst: number): Promise<number | undefined>;
}

/** 0 when a token was taken; otherwise whole milliseconds until there may be one. */
export async function takeShared(bucket: TokenBucket, name: string, limits: SharedLimits): Promise<number> {
  // What this gateway took alone is a part of what all took: where that is all there is, nobody has to be asked.
  const ownWaitMs = bucket.waitMs;
  if (ownWaitMs > 0) return ownWaitMs;
  const waitMs = await limits.take(name, bucket.ratePerSecond, bucket.burst);
  if (waitMs !== undefined && waitMs > 0) return waitMs;
  const taken = bucket.take();
  return waitMs === 0 || taken ? 0 : bucket.waitMs;
}
