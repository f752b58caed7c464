/**
 * Wrong tokens per remote address and minute (T21). Who repeats one wrong token is a client with an old configuration: it
 * is slowed down itself. Who tries many is guessing: then the whole address is refused for the rest of the minute, right
 * tokens included, or the guess that hits would be answered. Clients at work are not touched: who shows a right token and
 * a session opened with it goes on. So neither a misconfigured client nor a guesser locks out its neighbours, of whom
 * there may be many behind one proxy.
 */
import { GatewayError } from "../../core/errors.ts";
import type { Clock } from "../../lib/clock.ts";
import { hexOf } from "../../runtime/digest.ts";

const maxFailures = 10;
const windowMs = 60_000;
/** Addresses remembered; the one that failed first is forgotten first. */
const maxAddresses = 10_000;

interface Failures {
  readonly sinceMs: number;
  count: number;
  /** Digests of up to {@link maxFailures} different tokens. */
  readonly tokens: Set<string>;
}

export class FailedAttempts {
  readonly #clock: Pick<Clock, "now">;
  readonly #byAddress = new Map<string, Failures>();

  constructor(clock: Pick<Clock, "now">) {
    this.#clock = clock;
  }

  /**
   * Counts what was shown and found wrong, unless it is only old: that is no guess.
   * @returns what to throw: the error, or that there were too many
   */
  counted(error: unknown, address: string, digest: Uint8Array): unknown {
    if (!(error instanceof GatewayError) || error.code !== "UNAUTHENTICATED" || error.data?.["expired"] === true)
      return error;
    const waitMs = this.#add(address, digest);
    return waitMs > 0 ? tooMany(`Too many failed authentications came from ${address}`, waitMs) : error;
  }

  get isEmpty(): boolean {
    return this.#byAddress.size === 0;
  }

  /** @throws GatewayError TOO_MANY_ATTEMPTS while nobody from this address is let in */
  assertOpen(address: string): void {
    const failures = this.#current(address);
    const waitMs = failures !== undefined && failures.tokens.size >= maxFailures ? this.#waitMs(failures) : 0;
    if (waitMs > 0) throw tooMany(`Too many wrong tokens came from ${address}`, waitMs);
  }

  /** Counts a wrong token. Milliseconds to wait when there were too many, else 0. */
  #add(address: string, digest: Uint8Array): number {
    let failures = this.#current(address);
    if (failures === undefined) {
      failures = { sinceMs: this.#clock.now(), count: 0, tokens: new Set() };
      this.#byAddress.set(address, failures);
      const oldest = this.#byAddress.keys().next().value;
      if (this.#byAddress.size > maxAddresses && oldest !== undefined) this.#byAddress.delete(oldest);
    }
    failures.count++;
    if (failures.tokens.size < maxFailures) failures.tokens.add(hexOf(digest));
    return failures.count > maxFailures ? this.#waitMs(failures) : 0;
  }

  #current(address: string): Failures | undefined {
    const failures = this.#byAddress.get(address);
    if (failures === undefined || this.#waitMs(failures) > 0) return failures;
    this.#byAddress.delete(address);
    return undefined;
  }

  #waitMs(failures: Failures): number {
    return Math.max(0, Math.ceil(failures.sinceMs + windowMs - this.#clock.now()));
  }
}

export function tooMany(message: string, waitMs: number): GatewayError {
  return new GatewayError("TOO_MANY_ATTEMPTS", message, { data: { retry_after_ms: waitMs } });
}
