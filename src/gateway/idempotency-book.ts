/**
 * What is known of idempotency keys, in memory and as lines of a file: a key is on the disk before its call leaves, so
 * that a call is not made twice though the gateway was killed in between. Loaded with the first key.
 */
import { Answer } from "../core/answer.ts";
import type { Clock } from "../lib/clock.ts";
import { isJsonObject, type Json } from "../lib/json.ts";
import { sha256Hex } from "../runtime/digest.ts";
import { isMissing, readText, writeAtomic } from "../runtime/files.ts";
import { createLineFile, type LineFile } from "../runtime/line-file.ts";
import type { IdempotencyBook, KeyState } from "../stages/idempotency/idempotency-stage.ts";

const keptForMs = 24 * 3_600_000;
const maxKeys = 10_000;
/** Longer answers are not kept, and their keys are spent. */
const maxAnswerCharacters = 1_048_576;
const maxAllCharacters = 64 * 1_048_576;
const maxFileBytes = 256 * 1_048_576;
/** After so much the file is written anew, with what is still of use. */
const rewriteAfterCharacters = 64 * 1_048_576;

interface KnownKey {
  /** SHA-256 of what it came with. */
  readonly request: string;
  /** Calendar milliseconds. */
  readonly at: number;
  state: "running" | "answered" | "spent";
  /** JSON text of the result. */
  answer?: string | undefined;
}

export interface IdempotencyBookOptions {
  /** `undefined` keeps keys in memory. */
  readonly path: string | undefined;
  readonly clock: Pick<Clock, "after">;
  /** Calendar time in milliseconds. */
  readonly now: () => number;
  onProblem(error: unknown): void;
}

export interface OpenIdempotencyBook extends IdempotencyBook {
  flush(): Promise<void>;
}

export async function openIdempotencyBook(options: IdempotencyBookOptions): Promise<OpenIdempotencyBook> {
  const { path, clock, now, onProblem } = options;
  /** Oldest first. */
  const keys = path === undefined ? new Map<string, KnownKey>() : await readKeys(path, onProblem);
  const file: LineFile | undefined =
    path === undefined ? undefined : createLineFile({ path, clock, sync: false, onProblem });
  let kept = [...keys.values()].reduce((sum, { answer = "" }) => sum + answer.length, 0);
  /** Characters written since the file was tidied up; what an earlier process left is tidied up with the first line. */
  let written = keys.size === 0 ? 0 : Number.POSITIVE_INFINITY;
  /** Lines are written in order, and never into a file that is being replaced. */
  let queue: Promise<void> = Promise.resolve();

  function forget(id: string): void {
    kept -= keys.get(id)?.answer?.length ?? 0;
    keys.delete(id);
  }

  function tidy(): void {
    for (const [id, { at }] of keys) {
      if (keys.size <= maxKeys && kept <= maxAllCharacters && now() - at < keptForMs) break;
      forget(id);
    }
  }

  function write(line: Json): Promise<void> {
    if (file === undefined || path === undefined) return queue;
    const text = JSON.stringify(line);
    queue = queue.then(async () => {
      written += text.length;
      if (written > rewriteAfterCharacters) {
        await file.flush();
        written = 0;
        const lines = [...keys].map(([id, key]) => `${JSON.stringify({ id, ...key })}\n`);
        await writeAtomic(path, lines.join(""), { mode: 0o600 }).catch(onProblem);
      }
      file.append(text);
      await file.flush();
    });
    return queue;
  }

  function settle(id: string, change: Pick<KnownKey, "state" | "answer">): void {
    const key = keys.get(id);
    // Forgotten meanwhile: too many came after it.
    if (key === undefined) return;
    Object.assign(key, change);
    kept += change.answer?.length ?? 0;
    void write({ id, ...key });
    tidy();
  }

  return {
    async begin(principal, key, request): Promise<KeyState> {
      tidy();
      const id = sha256Hex(JSON.stringify([principal, key]));
      const digest = sha256Hex(request);
      const known = keys.get(id);
      if (known !== undefined) {
        if (known.request !== digest) return { is: "of another call" };
        if (known.state !== "answered") return { is: known.state };
        return { is: "answered", answer: Answer.ofText(known.answer as string) };
      }
      keys.set(id, { request: digest, at: now(), state: "running" });
      await write({ id, ...(keys.get(id) as KnownKey) });
      return {
        is: "new",
        attempt: {
          succeeded({ text }) {
            if (text.length > maxAnswerCharacters) settle(id, { state: "spent" });
            else settle(id, { state: "answered", answer: text });
          },
          failed() {
            forget(id);
            void write({ id });
          },
          lost: () => settle(id, { state: "spent" }),
        },
      };
    },
    async flush() {
      await queue;
      await file?.flush();
    },
  };
}

/** A line with an id alone takes back what was said of it; what was running when the process ended is spent. */
async function readKeys(path: string, onProblem: (error: unknown) => void): Promise<Map<string, KnownKey>> {
  const keys = new Map<string, KnownKey>();
  let text = "";
  try {
    text = await readText(path, maxFileBytes);
  } catch (error) {
    if (!isMissing(error)) onProblem(error);
  }
  for (const line of text.split("\n")) {
    const entry = parsed(line);
    if (typeof entry?.["id"] !== "string") continue;
    const { id, request, at, state, answer } = entry;
    if (typeof request !== "string" || typeof at !== "number") keys.delete(id);
    else if (state === "answered" && typeof answer === "string") keys.set(id, { request, at, state, answer });
    else keys.set(id, { request, at, state: "spent" });
  }
  return keys;
}

/** `undefined` for what is no object, such as a line that a crash left half. */
function parsed(line: string) {
  try {
    const value = JSON.parse(line) as Json;
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
