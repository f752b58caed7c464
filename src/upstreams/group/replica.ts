/** One of the servers behind a name: what its group knows of how it does. */
import type { ReplicaStatus } from "../../core/upstream.ts";
import type { Clock } from "../../lib/clock.ts";
import type { ManagedUpstream } from "../managed-upstream.ts";
import type { Candidate } from "./balance.ts";
import type { LoadBalancingSettings } from "./schema.ts";

type Tolerance = Pick<LoadBalancingSettings, "failure_threshold" | "reset_timeout">;

export class Replica implements Candidate {
  readonly id: string;
  readonly address: string;
  /** Text that differs where another server is meant. */
  readonly definition: string;
  readonly upstream: ManagedUpstream;
  weight = 1;
  turn = 0;
  inFlight = 0;
  readonly #clock: Pick<Clock, "now">;
  /** Since the last answer. */
  #failures = 0;
  #failureCount = 0;
  #lastFailure: unknown;
  /** While it failed too often: when it gets its next call. */
  #nextTrialMs = 0;

  constructor(
    { id, address, definition }: Pick<Replica, "id" | "address" | "definition">,
    upstream: ManagedUpstream,
    clock: Pick<Clock, "now">,
  ) {
    this.id = id;
    this.address = address;
    this.definition = definition;
    this.upstream = upstream;
    this.#clock = clock;
  }

  /** Whether it would be asked, or started for it; not while it waits to be started again. */
  get isOpen(): boolean {
    if (this.upstream.isReady) return true;
    const { state } = this.upstream.status();
    return state.is !== "stopped" && (state.is !== "backoff" || this.#clock.now() >= state.retryAtMs);
  }

  /** Whether its answers are coming. */
  get isSound(): boolean {
    return this.#failures === 0 && this.upstream.isReady;
  }

  /** Whether it is preferred to one that failed too often: it did not, or may try again. */
  isTrusted({ failure_threshold }: Tolerance): boolean {
    return this.#failures < failure_threshold || this.#clock.now() >= this.#nextTrialMs;
  }

  /** It got a request: if that was to see how it is, then one is enough for now. */
  chosen({ failure_threshold, reset_timeout }: Tolerance): void {
    if (this.#failures >= failure_threshold) this.#nextTrialMs = this.#clock.now() + reset_timeout;
  }

  succeeded(): void {
    this.#failures = 0;
  }

  /**
   * It gave no answer, or did not start.
   * @param error one and the same for all requests that a lost connection took along: that is one failure
   */
  failed({ reset_timeout }: Tolerance, error: unknown): void {
    if (error === this.#lastFailure) return;
    this.#lastFailure = error;
    this.#failures++;
    this.#failureCount++;
    this.#nextTrialMs = this.#clock.now() + reset_timeout;
  }

  status({ failure_threshold }: Tolerance): ReplicaStatus {
    const { id, address, weight, upstream } = this;
    const status = upstream.status();
    const isTolerable = this.#failures < failure_threshold;
    return {
      ...status,
      id,
      kind: upstream.kind,
      address,
      weight,
      inFlight: this.inFlight,
      healthy: status.healthy && isTolerable,
      consecutiveFailures: Math.max(status.consecutiveFailures, this.#failures),
      failureCount: this.#failureCount,
      lastError: status.lastError ?? (this.#lastFailure instanceof Error ? this.#lastFailure.message : undefined),
      inRotation: isTolerable && status.state.is !== "backoff" && status.state.is !== "stopped",
    };
  }
}
