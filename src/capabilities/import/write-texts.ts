/** Capability files written together: all of them, or none. */
import { exists, readExactText, removeFile, writeAtomic } from "../../runtime/files.ts";

export interface PlacedText {
  /** Absolute. */
  readonly path: string;
  readonly text: string;
}

/** The first of them that is there already. */
export async function firstExisting(files: readonly PlacedText[]): Promise<string | undefined> {
  for (const { path } of files) if (await exists(path)) return path;
  return undefined;
}

/** What was written before a failure is taken back. @throws the system's error */
export async function writeTexts(files: readonly PlacedText[]): Promise<void> {
  const undo: (() => Promise<void>)[] = [];
  try {
    for (const { path, text } of files) {
      const before = (await exists(path)) ? await readExactText(path) : undefined;
      await writeAtomic(path, text);
      undo.push(() => (before === undefined ? removeFile(path) : writeAtomic(path, before)));
    }
  } catch (error) {
    for (const step of undo.reverse()) await step().catch(() => {});
    throw error;
  }
}
