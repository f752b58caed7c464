/** Files that only grow: their last line, and their lines one after the other. */
import { builtin } from "./builtin.ts";
import { isMissing } from "./files.ts";

const fs = () => import("node:fs/promises");
const maxLineBytes = 1_048_576;

export interface FileEnd {
  /** The last whole line, without its line feed; empty when there is none. */
  readonly line: string;
  /** Bytes behind the last line feed. */
  readonly torn: number;
  readonly size: number;
}

interface FileBytes {
  readonly bytes: Uint8Array;
  readonly size: number;
}

/** `undefined` when there is no such file. */
async function endOf(path: string, maxBytes: number): Promise<FileBytes | undefined> {
  let file: Awaited<ReturnType<Awaited<ReturnType<typeof fs>>["open"]>>;
  try {
    file = await (await fs()).open(path, "r");
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
  try {
    const { size } = await file.stat();
    const length = Math.min(size, maxBytes);
    const bytes = new Uint8Array(length);
    await file.read(bytes, 0, length, size - length);
    return { bytes, size };
  } finally {
    await file.close();
  }
}

/** `undefined` when there is no such file. Lines longer than 1 MiB count as none. */
export async function lastLine(path: string): Promise<FileEnd | undefined> {
  const found = await endOf(path, 2 * maxLineBytes);
  if (found === undefined) return undefined;
  const { bytes, size } = found;
  const end = bytes.lastIndexOf(0x0a);
  const start = end <= 0 ? -1 : bytes.lastIndexOf(0x0a, end - 1);
  const line = end < 0 ? "" : new TextDecoder().decode(bytes.subarray(start + 1, end));
  return { line, torn: bytes.length - end - 1, size };
}

/** The last whole lines of a file, as many as are in its last `maxBytes`; none when there is no such file. */
export async function lastLines(path: string, maxBytes: number): Promise<string[]> {
  const found = await endOf(path, maxBytes);
  if (found === undefined) return [];
  const { bytes, size } = found;
  const lines = new TextDecoder().decode(bytes.subarray(0, bytes.lastIndexOf(0x0a) + 1)).split("\n");
  // The first one may have begun before what was read.
  return lines.slice(bytes.length < size ? 1 : 0, -1);
}

export async function truncateTo(path: string, size: number): Promise<void> {
  await (await fs()).truncate(path, size);
}

/** Gives the file another name beside it; returns that. */
export async function moveAside(path: string): Promise<string> {
  const aside = `${path}.${new Date().toISOString().replace(/[:.]/g, "-")}`;
  await (await fs()).rename(path, aside);
  return aside;
}

/** Every line, of a file of any size. @throws the system's error (see `isMissing`) */
export async function* linesOf(path: string): AsyncGenerator<string> {
  const stream = builtin("node:fs").createReadStream(path, { encoding: "utf8" });
  let rest = "";
  for await (const chunk of stream) {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
  if (rest !== "") yield rest;
}
