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

/** `undefined` when there is no such file. Lines longer than 1 MiB count as none. */
export async function lastLine(path: string): Promise<FileEnd | undefined> {
  let file: Awaited<ReturnType<Awaited<ReturnType<typeof fs>>["open"]>>;
  try {
    file = await (await fs()).open(path, "r");
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
  try {
    const { size } = await file.stat();
    const length = Math.min(size, 2 * maxLineBytes);
    const bytes = new Uint8Array(length);
    await file.read(bytes, 0, length, size - length);
    const end = bytes.lastIndexOf(0x0a);
    const start = end <= 0 ? -1 : bytes.lastIndexOf(0x0a, end - 1);
    const line = end < 0 ? "" : new TextDecoder().decode(bytes.subarray(start + 1, end));
    return { line, torn: length - end - 1, size };
  } finally {
    await file.close();
  }
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
