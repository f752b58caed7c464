/** Writes the record of calls: one entry each, in the order they ended, behind what the file already has. */
import type { Logger } from "../../core/log.ts";
import { lastLine, moveAside, truncateTo } from "../../runtime/file-tail.ts";
import type { LineFile } from "../../runtime/line-file.ts";
import { beginning, type CallFacts, type Link, nextEntry, readEntry } from "./chain.ts";

export interface TransparencyLog {
  note(facts: CallFacts): void;
  flush(): Promise<void>;
  /** Whether the newest entries are not on the disk. */
  readonly isFailing: boolean;
}

export interface TransparencyLogOptions {
  readonly path: string;
  readonly keyId: string;
  /** Empty for a record that is not signed. */
  readonly secret: string;
  readonly file: LineFile;
  readonly log: Logger;
}

export function createTransparencyLog({ path, keyId, secret, file, log }: TransparencyLogOptions): TransparencyLog {
  let last: Link | undefined;
  let isBroken = false;
  let queue: Promise<void> = Promise.resolve();

  async function append(facts: CallFacts): Promise<void> {
    last ??= await findEnd(path, log);
    isBroken = false;
    const entry = nextEntry(facts, last, keyId, secret);
    // What is dropped is no link, or the chain would be torn by it.
    if (file.append(JSON.stringify(entry))) last = entry;
  }

  return {
    note(facts) {
      queue = queue
        .then(() => append(facts))
        .catch((error: unknown) => {
          if (!isBroken) log.error("The record of calls cannot be continued", { path, reason: String(error) });
          isBroken = true;
        });
    },
    async flush() {
      await queue;
      await file.flush();
    },
    get isFailing() {
      return isBroken || file.isFailing;
    },
  };
}

/** Where the chain goes on. A half line is what a crash leaves; an end that is no entry is put aside, not written behind. */
async function findEnd(path: string, log: Logger): Promise<Link> {
  const end = await lastLine(path);
  if (end === undefined) return beginning;
  if (end.torn > 0) {
    await truncateTo(path, end.size - end.torn);
    log.warn("The last entry of the record of calls was written in half by a crash, and is dropped", { path });
  }
  if (end.line === "") return beginning;
  const read = readEntry(end.line);
  if (read?.isIntact) return read.entry;
  const aside = await moveAside(path);
  log.error("The record of calls ends with what is no entry: it was put aside, and a new one is begun", {
    path,
    aside,
  });
  return beginning;
}
