/** What each client session has used up so far. Outlives reloads; a session is forgotten when it ends. */
import type { Clock } from "../../lib/clock.ts";

export interface Usage {
  readonly sinceMs: number;
  calls: number;
}

export class SessionUsage {
  readonly #clock: Pick<Clock, "now">;
  readonly #sessions = new Map<string, Usage>();

  constructor(clock: Pick<Clock, "now">) {
    this.#clock = clock;
  }

  /** Begins with the first time a session is asked about. */
  of(sessionId: string): Usage {
    const known = this.#sessions.get(sessionId);
    if (known !== undefined) return known;
    const usage = { sinceMs: this.#clock.now(), calls: 0 };
    this.#sessions.set(sessionId, usage);
    return usage;
  }

  ageMs({ sinceMs }: Usage): number {
    return this.#clock.now() - sinceMs;
  }

  forget(sessionId: string): void {
    this.#sessions.delete(sessionId);
  }

  get size(): number {
    return this.#sessions.size;
  }
}
