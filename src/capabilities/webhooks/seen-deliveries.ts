/**
 * Which deliveries were told already: services send again what they think got lost, and so does who has recorded one
 * (T22). Kept on disk, for a restart is no reason to tell twice.
 */
import type { Logger } from "../../core/log.ts";
import type { Clock } from "../../lib/clock.ts";
import { DelayedWrite } from "../../lib/delayed-write.ts";
import { isJsonObject } from "../../lib/json.ts";
import { sha256 } from "../../runtime/digest.ts";
import { isMissing, readText, writeAtomic } from "../../runtime/files.ts";

/** The one that was seen first is forgotten first. */
const maxSeen = 10_000;
const maxFileBytes = 4 * 1_048_576;
/** So much a crash can make forget, at most. */
const saveAfterMs = 1_000;

export interface SeenDeliveriesOptions {
  /** `undefined` keeps them in memory. */
  readonly path: string | undefined;
  readonly clock: Pick<Clock, "after">;
  /** Calendar time in milliseconds. */
  readonly calendar: () => number;
  readonly log: Logger;
  onProblem(error: unknown): void;
}

export async function openSeenDeliveries(options: SeenDeliveriesOptions): Promise<SeenDeliveries> {
  const { path, log } = options;
  return new SeenDeliveries(options, path === undefined ? [] : await readSeen(path, log));
}

export class SeenDeliveries {
  readonly #calendar: () => number;
  /** By digest of the mark, when it is forgotten. */
  readonly #seen: Map<string, number>;
  readonly #file: DelayedWrite | undefined;

  constructor({ path, clock, calendar, onProblem }: SeenDeliveriesOptions, seen: Iterable<[string, number]> = []) {
    this.#calendar = calendar;
    this.#seen = new Map(seen);
    if (path !== undefined)
      this.#file = new DelayedWrite({
        clock,
        afterMs: saveAfterMs,
        onProblem,
        write: () => writeAtomic(path, JSON.stringify(Object.fromEntries(this.#seen)), { mode: 0o600 }),
      });
  }

  /** Whether one of the marks was seen. */
  has(marks: readonly string[]): boolean {
    const now = this.#calendar();
    return marks.some((mark) => (this.#seen.get(digestOf(mark)) ?? Number.NEGATIVE_INFINITY) > now);
  }

  add(marks: readonly string[], forMs: number): void {
    if (marks.length === 0) return;
    for (const digest of marks.map(digestOf)) {
      this.#seen.delete(digest);
      this.#seen.set(digest, this.#calendar() + forMs);
    }
    for (const oldest of this.#seen.keys()) {
      if (this.#seen.size <= maxSeen) break;
      this.#seen.delete(oldest);
    }
    this.#file?.touch();
  }

  /** It was not told after all. */
  remove(marks: readonly string[]): void {
    for (const mark of marks) this.#seen.delete(digestOf(mark));
    this.#file?.touch();
  }

  /** Resolves when everything is written, or could not be. */
  async flush(): Promise<void> {
    await this.#file?.flush();
  }
}

/** Ids may be of any length, and signatures are nobody's business. */
function digestOf(mark: string): string {
  return Buffer.from(sha256(mark).subarray(0, 16)).toString("base64url");
}

async function readSeen(path: string, log: Logger): Promise<[string, number][]> {
  try {
    const file: unknown = JSON.parse(await readText(path, maxFileBytes));
    if (!isJsonObject(file)) throw new Error("It is not what the gateway writes");
    return Object.entries(file).filter((entry): entry is [string, number] => typeof entry[1] === "number");
  } catch (error) {
    if (!isMissing(error))
      log.error("The deliveries of earlier days cannot be read: one of them may be told again", {
        path,
        reason: String(error),
      });
    return [];
  }
}
