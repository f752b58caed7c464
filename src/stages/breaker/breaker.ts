/**
 * The memory of a circuit: closed while the backend answers, open after too many failures in a row, half-open while
 * one probe at a time finds out whether it has recovered. It outlives reloads, and a health check may reset it.
 */
import type { Clock } from "../../lib/clock.ts";
import type { BreakerSettings } from "./schema.ts";

interface Closed {
  readonly is: "closed";
}
interface Open {
  readonly is: "open";
  readonly sinceMs: number;
}
interface HalfOpen {
  readonly is: "half_open";
  successes: number;
  probing: boolean;
}

/** The phase a call was let through in. What the call reports counts only while that very phase lasts. */
export type Pass = Closed | HalfOpen;

/** How long a running probe takes is unknown, so callers are told to look again soon. */
const probeWaitMs = 1_000;

export class Breaker {
  /** Replaceable at any time; takes effect at once, for an open circuit too. */
  settings: BreakerSettings;
  readonly #clock: Pick<Clock, "now">;
  #phase: Closed | Open | HalfOpen = { is: "closed" };
  #failures = 0;
  #trips = 0;
  #lastTripMs: number | undefined;
  #lastFailure: Error | undefined;

  constructor(settings: BreakerSettings, clock: Pick<Clock, "now">) {
    this.settings = settings;
    this.#clock = clock;
  }

  get state(): "closed" | "open" | "half_open" {
    return this.#phase.is;
  }

  /** Failures since the last success. */
  get failures(): number {
    return this.#failures;
  }

  /** Message of the last failure. */
  get lastFailure(): string | undefined {
    return this.#lastFailure?.message;
  }

  /** Times the circuit opened. */
  get trips(): number {
    return this.#trips;
  }

  /** {@link Clock.now} of the last time it opened. */
  get lastTripMs(): number | undefined {
    return this.#lastTripMs;
  }

  /** Whole milliseconds after which a call may be let through; 0 when one would be now. */
  get retryAfterMs(): number {
    const phase = this.#phase;
    if (phase.is === "open")
      return Math.max(0, Math.ceil(phase.sinceMs + this.settings.reset_timeout - this.#clock.now()));
    return phase.is === "half_open" && phase.probing ? probeWaitMs : 0;
  }

  /** Lets a call through, or not. The pass goes back by exactly one of {@link succeeded}, {@link failed}, {@link left}. */
  enter(): Pass | undefined {
    if (this.#phase.is === "closed") return this.#phase;
    if (this.retryAfterMs > 0) return undefined;
    if (this.#phase.is === "open") this.#phase = { is: "half_open", successes: 0, probing: false };
    this.#phase.probing = true;
    return this.#phase;
  }

  succeeded(pass: Pass): void {
    this.left(pass);
    if (pass !== this.#phase) return;
    this.#failures = 0;
    if (pass.is === "half_open" && ++pass.successes >= this.settings.success_threshold) this.reset();
  }

  /** @param error one and the same for all calls that a lost connection took along: that is one failure, however many */
  failed(pass: Pass, error: Error): void {
    this.left(pass);
    if (pass !== this.#phase || error === this.#lastFailure) return;
    this.#lastFailure = error;
    this.#failures++;
    if (pass.is === "closed" && this.#failures < this.settings.failure_threshold) return;
    this.#trips++;
    this.#lastTripMs = this.#clock.now();
    this.#phase = { is: "open", sinceMs: this.#lastTripMs };
  }

  /** The call ended without telling anything about the backend: cancelled, or refused before it got there. */
  left(pass: Pass): void {
    if (pass.is === "half_open") pass.probing = false;
  }

  /** Closes the circuit and forgets the failures; {@link trips} stays. */
  reset(): void {
    this.#failures = 0;
    if (this.#phase.is !== "closed") this.#phase = { is: "closed" };
  }
}
