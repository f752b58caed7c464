/** Health checks of all backends on one timer. What is asleep stays asleep. */
import type { Upstream } from "../core/upstream.ts";
import type { Clock } from "../lib/clock.ts";
import type { Lazy } from "../lib/lazy.ts";
import type { ManagedUpstream } from "./managed-upstream.ts";

export interface HealthTarget {
  /** Asked nothing before it was used. */
  readonly upstream: Lazy<Upstream>;
  readonly intervalMs: number;
  readonly timeoutMs: number;
}

export interface HealthOptions {
  readonly clock: Clock;
  /** The backends to watch now; asked each time, so that a reload needs nothing more. */
  targets(): Iterable<HealthTarget>;
  /** Outcome of each probe that could be made: an open circuit may close on `true`. */
  onProbe(upstream: ManagedUpstream, alive: boolean): void;
}

/** How often it looks whose probe is due: intervals are kept to within this. */
const tickMs = 1_000;

/** Starts probing; the returned function ends it. */
export function startHealthChecks({ clock, targets, onProbe }: HealthOptions): () => void {
  const probedAtMs = new WeakMap<Lazy<Upstream>, number>();

  const probe = async ({ upstream: { made: upstream }, timeoutMs }: HealthTarget) => {
    if (upstream === undefined || !isManaged(upstream)) return;
    const alive = await upstream.probe(timeoutMs);
    if (alive !== undefined) onProbe(upstream, alive);
  };

  const tick = () => {
    const now = clock.now();
    for (const target of targets()) {
      const probedAt = probedAtMs.get(target.upstream);
      if (probedAt === undefined || now - probedAt >= target.intervalMs) {
        probedAtMs.set(target.upstream, now);
        if (probedAt !== undefined) void probe(target);
      }
    }
    cancel = clock.after(tickMs, tick);
  };
  let cancel = clock.after(tickMs, tick);
  return () => cancel();
}

function isManaged(upstream: Upstream): upstream is ManagedUpstream {
  return "probe" in upstream;
}
