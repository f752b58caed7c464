/**
 * What operators decided and what was decided for them: switched, approved, quarantined, reloaded. Only ever written
 * behind what is there; the newest are at hand, so that who looks again sees what happened since.
 */
import type { Actor, SecurityAction, SecurityEvent } from "../../core/security-event.ts";
import type { Clock } from "../../lib/clock.ts";
import { isJsonObject } from "../../lib/json.ts";
import { lastLine, lastLines, truncateTo } from "../../runtime/file-tail.ts";
import { createLineFile, type LineFile } from "../../runtime/line-file.ts";

export interface JournalEntry {
  /** 1 for the first one; higher than that of any entry before. */
  readonly number: number;
  readonly at: string;
  readonly action: SecurityAction;
  /** `null` where the gateway did it by itself, or an operator at the command line. */
  readonly by: Actor | null;
  readonly server: string | null;
  readonly tool: string | null;
  readonly digest: string | null;
  readonly reason: string | null;
  readonly rollback: string | null;
  readonly detail: string | null;
}

export interface Journal {
  /** @param at calendar milliseconds */
  note(event: SecurityEvent, at: number): void;
  /** The newest of this and earlier runs, oldest first. */
  entries(): Promise<readonly JournalEntry[]>;
  /** Resolves when all is on the disk, or could not be written now. */
  flush(): Promise<void>;
}

export interface JournalOptions {
  /** `undefined` keeps it in memory. */
  readonly path: string | undefined;
  readonly clock: Pick<Clock, "after">;
  redact(text: string): string;
  /** Told when it cannot be read or written, and with `undefined` when it can again. */
  onProblem(error: unknown): void;
}

const keptEntries = 1_000;
const maxText = 500;
const maxFileBytes = 16 * 1_048_576;
const readBytes = 1_048_576;

export function createJournal({ path, clock, redact, onProblem }: JournalOptions): Journal {
  const kept: JournalEntry[] = [];
  const file =
    path === undefined ? undefined : createLineFile({ path, clock, sync: true, maxBytes: maxFileBytes, onProblem });
  let queue: Promise<void> = path === undefined ? Promise.resolve() : load(path).catch(onProblem);

  async function load(from: string): Promise<void> {
    const end = await lastLine(from);
    // What a crash left would become part of the next line.
    if (end !== undefined && end.torn > 0) await truncateTo(from, end.size - end.torn);
    for (const line of await lastLines(from, readBytes)) {
      const entry = entryOf(line);
      if (entry !== undefined) keep(entry);
    }
  }

  function keep(entry: JournalEntry): void {
    kept.push(entry);
    if (kept.length > keptEntries) kept.shift();
  }

  function append(event: SecurityEvent, at: number, to: LineFile | undefined): void {
    const text = (value: string | undefined) => (value === undefined ? null : redact(value).slice(0, maxText));
    const { action, by, server, tool, digest, reason, rollback, detail } = event;
    const entry: JournalEntry = {
      number: (kept.at(-1)?.number ?? 0) + 1,
      at: new Date(at).toISOString(),
      action,
      by: by === undefined ? null : { ...by, name: redact(by.name) },
      server: server ?? null,
      tool: tool ?? null,
      digest: digest ?? null,
      reason: text(reason),
      rollback: text(rollback),
      detail: text(detail),
    };
    keep(entry);
    to?.append(JSON.stringify(entry));
  }

  return {
    note(event, at) {
      queue = queue.then(() => append(event, at, file));
    },
    async entries() {
      await queue;
      return kept;
    },
    async flush() {
      await queue;
      await file?.flush();
    },
  };
}

/** `undefined` for a line that is none: somebody else wrote into the file. */
function entryOf(line: string): JournalEntry | undefined {
  try {
    const value: unknown = JSON.parse(line);
    const isEntry = isJsonObject(value) && typeof value["number"] === "number" && typeof value["action"] === "string";
    return isEntry ? (value as unknown as JournalEntry) : undefined;
  } catch {
    return undefined;
  }
}
