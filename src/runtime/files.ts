/**
 * Files as whole texts. Writing is atomic: whoever reads sees the old content or the new one, also after a crash.
 * On Bun an ordinary file is read and looked at without `node:fs`: loading that takes a third of an empty program's start.
 */
import { decodeUtf8 } from "../lib/utf8.ts";
import { basename, dirname, join } from "./paths.ts";

const fs = () => import("node:fs/promises");

/** Thrown by {@link readText} when a file is larger than the caller is willing to read. */
export class FileTooLargeError extends Error {
  readonly maxBytes: number;

  constructor(path: string, maxBytes: number) {
    super(`"${path}" is larger than ${maxBytes} bytes`);
    this.name = "FileTooLargeError";
    this.maxBytes = maxBytes;
  }
}

/**
 * Reads UTF-8 text; a byte order mark is dropped. Never reads more than `maxBytes`, whatever the file's stated size, so
 * that pipes and devices are bounded too.
 * @throws the system's error (see {@link isMissing}), FileTooLargeError, or TypeError when the bytes are not UTF-8
 */
export async function readText(path: string, maxBytes = Number.POSITIVE_INFINITY): Promise<string> {
  return decodeUtf8(await readBytes(path, maxBytes));
}

/** As {@link readText}, for a text that is to be written back: a byte order mark stays, as its first character. */
export async function readExactText(path: string, maxBytes = Number.POSITIVE_INFINITY): Promise<string> {
  return decodeUtf8(await readBytes(path, maxBytes), "keep");
}

async function readBytes(path: string, maxBytes: number): Promise<Uint8Array> {
  // Of pipes and devices nobody knows the size. What is not there is found out by reading.
  const isOrdinary = "Bun" in globalThis && Bun.file(path).size !== Number.POSITIVE_INFINITY;
  const bytes = await (isOrdinary ? beginning(path, maxBytes) : all(path, maxBytes));
  if (bytes.byteLength > maxBytes) throw new FileTooLargeError(path, maxBytes);
  return bytes;
}

function beginning(path: string, maxBytes: number): Promise<Uint8Array> {
  const file = Bun.file(path);
  return (maxBytes === Number.POSITIVE_INFINITY ? file : file.slice(0, maxBytes + 1)).bytes();
}

/** Stops reading soon after `maxBytes`. */
async function all(path: string, maxBytes: number): Promise<Uint8Array> {
  const file = await (await fs()).open(path, "r");
  try {
    const chunks: Uint8Array[] = [];
    let total = 0;
    while (total <= maxBytes) {
      const chunk = new Uint8Array(chunkBytes);
      const { bytesRead } = await file.read(chunk, 0, chunkBytes, null);
      if (bytesRead === 0) break;
      total += bytesRead;
      chunks.push(chunk.subarray(0, bytesRead));
    }
    return Buffer.concat(chunks);
  } finally {
    await file.close();
  }
}

const chunkBytes = 65_536;

export interface WriteOptions {
  /** Permission bits of a file that did not exist before; an existing file keeps its own. */
  readonly mode?: number;
  /** False where losing the newest content with the power is no harm: the file is then whole all the same, or empty. */
  readonly sync?: boolean;
}

/** Writes beside the target, syncs unless told otherwise, then renames over it. A symbolic link is followed, never replaced. Makes missing directories. */
export async function writeAtomic(
  path: string,
  content: string | Uint8Array,
  options: WriteOptions = {},
): Promise<void> {
  const { mkdir, open, realpath, rename, stat, unlink } = await fs();
  const target = await realpath(path).catch(() => path);
  const existing = await stat(target).catch(() => undefined);
  await mkdir(dirname(target), { recursive: true });
  const temporary = join(dirname(target), `.${basename(target)}.${crypto.randomUUID()}.tmp`);
  const file = await open(temporary, "wx", options.mode ?? 0o666);
  try {
    try {
      await file.writeFile(content);
      // The umask applies to open(), so the mode of an existing file is set explicitly.
      if (existing !== undefined) await file.chmod(existing.mode & 0o7777);
      if (options.sync !== false) await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, target);
  } catch (error) {
    await unlink(temporary).catch(() => {});
    throw error;
  }
}

/** Follows links; `false` also for what cannot be looked at. */
export async function exists(path: string): Promise<boolean> {
  if (!("Bun" in globalThis)) return (await statOf(path)) !== undefined;
  try {
    // Unlike `stat()`, this needs no other thread, which a start would have to make first.
    return Bun.file(path).lastModified !== timeOfNothing;
  } catch {
    return false;
  }
}

/** What Bun says of a file that is not there. */
const timeOfNothing = 2 ** 52 - 1;

/** Follows links; `false` also for what cannot be looked at. */
export async function isFile(path: string): Promise<boolean> {
  return (await statOf(path))?.isFile() === true;
}

async function statOf(path: string) {
  try {
    return await ("Bun" in globalThis ? Bun.file(path).stat() : (await fs()).stat(path));
  } catch {
    return undefined;
  }
}

/** What tells two versions of a file apart without reading it; `undefined` when there is no such file. Follows links. */
export async function fileStamp(path: string): Promise<string | undefined> {
  const found = await statOf(path);
  return found && `${found.dev}:${found.ino}:${found.size}:${found.mtimeMs}:${found.ctimeMs}`;
}

/** Calendar time in milliseconds of the last change; `undefined` when there is no such file. */
export async function modifiedAtMs(path: string): Promise<number | undefined> {
  return (await statOf(path))?.mtimeMs;
}

/** What cannot be removed, because it is not there or not ours, stays. */
export async function removeFile(path: string): Promise<void> {
  await (await fs()).unlink(path).catch(() => {});
}

export interface DirectoryEntry {
  readonly name: string;
  readonly kind: "file" | "directory" | "link" | "other";
}

/** Entries sorted by name. @throws the system's error (see {@link isMissing}) */
export async function listDirectory(path: string): Promise<DirectoryEntry[]> {
  const entries = await (await fs()).readdir(path, { withFileTypes: true });
  return entries
    .map((entry): DirectoryEntry => {
      const kind = entry.isFile()
        ? "file"
        : entry.isDirectory()
          ? "directory"
          : entry.isSymbolicLink()
            ? "link"
            : "other";
      return { name: entry.name, kind };
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The file a link leads to, or the path itself where there is nothing to follow. */
export async function resolveLinks(path: string): Promise<string> {
  return (await fs()).realpath(path).catch(() => path);
}

/** Whether an error says that the file or a directory on its way does not exist. */
export function isMissing(error: unknown): boolean {
  const code = systemErrorCode(error);
  return code === "ENOENT" || code === "ENOTDIR";
}

/** `ENOENT`, `EACCES`, `ENOSPC` …; `undefined` when the error did not come from the system. */
export function systemErrorCode(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}
