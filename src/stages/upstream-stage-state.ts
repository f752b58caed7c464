/** What the stages of one backend remember. It outlives reloads: a new configuration neither closes a circuit nor refills a bucket. */
import type { Clock } from "../lib/clock.ts";
import { Semaphore } from "../lib/semaphore.ts";
import { TokenBucket } from "../lib/token-bucket.ts";
import { Breaker } from "./breaker/breaker.ts";
import { KillSwitch } from "./kill-switch/kill-switch.ts";
import { RetryBudget } from "./retry/retry-budget.ts";
import type { FailsafeSettings } from "./schema.ts";

export interface UpstreamStageState {
  readonly clock: Clock;
  /** In [0, 1), for jitter. */
  readonly random: () => number;
  readonly killSwitch: KillSwitch;
  readonly breaker: Breaker;
  readonly retryBudget: RetryBudget;
  readonly rateLimit: TokenBucket;
  readonly concurrency: Semaphore;
  /** Puts the settings of a reload in force; then build the stages anew with `stagesFor`. */
  apply(settings: FailsafeSettings): void;
}

/** `settings` are those in force for this backend, its overrides included. */
export function createStageState(
  settings: FailsafeSettings,
  clock: Clock,
  random: () => number = Math.random,
): UpstreamStageState {
  const { rate_limit, concurrency } = settings;
  return {
    clock,
    random,
    killSwitch: new KillSwitch(settings, clock),
    breaker: new Breaker(settings.circuit_breaker, clock),
    retryBudget: new RetryBudget(settings.retry, clock),
    rateLimit: new TokenBucket(rate_limit.requests_per_second, rate_limit.burst_size, clock),
    concurrency: new Semaphore(concurrency.max_concurrent, concurrency.max_queue, clock),
    apply(next) {
      this.killSwitch.settings = next;
      this.breaker.settings = next.circuit_breaker;
      this.retryBudget.settings = next.retry;
      this.rateLimit.configure(next.rate_limit.requests_per_second, next.rate_limit.burst_size);
      this.concurrency.configure(next.concurrency.max_concurrent, next.concurrency.max_queue);
    },
  };
}
