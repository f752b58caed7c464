/** Starts backends ahead of their first call, a few at a time, so that a long list does not stall the machine. */

import type { Upstream } from "../core/upstream.ts";
import type { CancelSignal } from "../lib/cancellation.ts";

const parallelStarts = 4;

/** Resolves when all have been tried. Never rejects: an upstream keeps its own failure in its status and log. */
export async function warmStart(upstreams: Iterable<Upstream>, signal: CancelSignal): Promise<void> {
  const queue = upstreams[Symbol.iterator]();
  const work = async () => {
    for (let next = queue.next(); !next.done && !signal.aborted; next = queue.next())
      await next.value.start(signal).catch(() => {});
  };
  await Promise.all(Array.from({ length: parallelStarts }, work));
}
