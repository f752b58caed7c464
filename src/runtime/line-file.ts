/**
 * Lines at the end of a file, in the order they came and in batches, without holding anybody up. What cannot be written
 * waits, up to a limit, and is tried again: a full disk costs nothing but lines, and no line is ever there in half.
 */
import type { Clock } from "../lib/clock.ts";
import { FailureSeries } from "../lib/failure-series.ts";
import { isMissing } from "./files.ts";
import { dirname } from "./paths.ts";

export interface LineFile {
  /** Takes a line without its line feed; returns whether it did, and did not drop it because too many wait. */
  append(line: string): boolean;
  /** Resolves when every line is on its way to the disk or could not be written now. */
  flush(): Promise<void>;
  /** Whether the newest lines could not be written. */
  readonly isFailing: boolean;
  /** Forgets what could not be written, and does not try again. */
  giveUp(): void;
}

export interface LineFileOptions {
  readonly path: string;
  readonly clock: Pick<Clock, "after">;
  /** Whether a batch is on the disk before the next one is begun. */
  readonly sync: boolean;
  /**
   * Size beyond which the file becomes `path.1`, what was that `path.2`, and so on to the last of {@link keptFiles};
   * for whoever reads along it is the same file under another name. Left out, it grows.
   */
  readonly maxBytes?: number;
  /** Called with the first error of a series, and with `undefined` when everything is written again. */
  onProblem(error: unknown): void;
  /** Called for every line that is dropped because too many wait. */
  onDropped?(): void;
}

const maxWaitingCharacters = 16 * 1_048_576;
const retryMs = 2_000;
/** Full ones, besides the one that is written. */
const keptFiles = 5;

export function createLineFile(options: LineFileOptions): LineFile {
  const { path, clock, sync, maxBytes = Number.POSITIVE_INFINITY, onProblem, onDropped } = options;
  let waiting: string[] = [];
  let waitingCharacters = 0;
  let writing: Promise<void> | undefined;
  const failures = new FailureSeries(onProblem);

  async function writeAll(): Promise<void> {
    // Everything that came in the same turn goes in one write.
    await Promise.resolve();
    while (waiting.length > 0) {
      const batch = waiting;
      waiting = [];
      waitingCharacters = 0;
      try {
        await appendWhole(path, `${batch.join("\n")}\n`, sync, maxBytes);
        failures.succeeded();
      } catch (error) {
        waiting = [...batch, ...waiting];
        waitingCharacters = waiting.reduce((sum, line) => sum + line.length, 0);
        failures.failed(error);
        clock.after(retryMs, start);
        break;
      }
    }
    writing = undefined;
  }

  function start(): void {
    writing ??= writeAll();
  }

  return {
    append(line) {
      if (waitingCharacters + line.length > maxWaitingCharacters) {
        onDropped?.();
        return false;
      }
      waiting.push(line);
      waitingCharacters += line.length;
      // While the disk refuses, the retry has its own time.
      if (!failures.isFailing) start();
      return true;
    },
    async flush() {
      if (failures.isFailing) start();
      while (writing) await writing;
    },
    get isFailing() {
      return failures.isFailing;
    },
    giveUp() {
      waiting = [];
      waitingCharacters = 0;
      failures.succeeded();
    },
  };
}

/** All of the text or nothing of it. */
async function appendWhole(path: string, text: string, sync: boolean, maxBytes: number): Promise<void> {
  const { mkdir, open } = await import("node:fs/promises");
  await mkdir(dirname(path), { recursive: true });
  if (maxBytes < Number.POSITIVE_INFINITY && (await sizeOf(path)) + text.length > maxBytes) await putAside(path);
  const file = await open(path, "a", 0o600);
  try {
    const { size } = await file.stat();
    try {
      await file.writeFile(text);
      if (sync) await file.sync();
    } catch (error) {
      await file.truncate(size).catch(() => {});
      throw error;
    }
  } finally {
    await file.close();
  }
}

async function sizeOf(path: string): Promise<number> {
  const { stat } = await import("node:fs/promises");
  return stat(path).then(
    ({ size }) => size,
    (error: unknown) => {
      if (isMissing(error)) return 0;
      throw error;
    },
  );
}

async function putAside(path: string): Promise<void> {
  const { rename } = await import("node:fs/promises");
  for (let number = keptFiles - 1; number >= 0; number--)
    await rename(number === 0 ? path : `${path}.${number}`, `${path}.${number + 1}`).catch((error: unknown) => {
      if (!isMissing(error)) throw error;
    });
}
