/**
 * Wrong tokens per remote address and minute (T21). Who repeats one wrong token is a client with an old configuration: it
 * is slowed down itself. Who tries many is guessing: then the whole address is refused for the rest of the minute, right
 * tokens included, or the guess that hits would be answered. Clients at work are not touched: who shows a right token and
 * a session opened with it goes on. So neither a misconfigured client nor a guesser locks out its neighbours, of whom
 * there may be many behind one proxy.
 */
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

  /** Counts a wrong token. Milliseconds to wait when there were too many, else 0. */
  add(address: string, digest: Uint8Array): number {
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

  /** Milliseconds for which nobody from this address is let in; 0 when somebody is. */
  lockedMs(address: string): number {
    const failures = this.#current(address);
    return failures !== undefined && failures.tokens.size >= maxFailures ? this.#waitMs(failures) : 0;
  }

  get isEmpty(): boolean {
    return this.#byAddress.size === 0;
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
