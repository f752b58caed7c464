/** Downloads of a known size class: bounded, with a limit on silence instead of on the whole, hashed while they come. */
import { builtin } from "./builtin.ts";

/** Longest time without a byte. */
const silenceMs = 30_000;

interface DownloadOptions {
  readonly maxBytes: number;
  readonly signal: AbortSignal;
}

/** @throws Error that names the address, or the reason of the signal */
export async function downloadText(url: string, options: DownloadOptions): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const part of download(url, options)) parts.push(part);
  return Buffer.concat(parts).toString("utf8");
}

/**
 * Writes a new file, synced to the disk. What came before a failure stays in it: removing it is the caller's.
 * @returns the SHA-256 of the content, in hex
 * @throws Error that names the address, the system's error, or the reason of the signal
 */
export async function downloadFile(url: string, path: string, options: DownloadOptions): Promise<string> {
  const { open } = await import("node:fs/promises");
  const hash = builtin("node:crypto").createHash("sha256");
  const file = await open(path, "wx", 0o755);
  try {
    for await (const part of download(url, options)) {
      hash.update(part);
      await file.writeFile(part);
    }
    await file.sync();
  } finally {
    await file.close();
  }
  return hash.digest("hex");
}

async function* download(url: string, { maxBytes, signal }: DownloadOptions): AsyncGenerator<Uint8Array> {
  const silence = new AbortController();
  const begin = () => setTimeout(() => silence.abort(new Error("it fell silent")), silenceMs);
  let timer = begin();
  try {
    const response = await fetch(url, { signal: AbortSignal.any([signal, silence.signal]) });
    if (!response.ok || response.body === null) throw new Error(`the answer is ${response.status}`);
    // Where the first address was safe from eavesdroppers, so must be the one it leads to.
    if (url.startsWith("https:") && !response.url.startsWith("https:")) throw new Error(`it leads to ${response.url}`);
    let total = 0;
    for await (const part of response.body) {
      clearTimeout(timer);
      timer = begin();
      total += part.byteLength;
      if (total > maxBytes) throw new Error(`it is larger than ${maxBytes} bytes`);
      yield part;
    }
  } catch (error) {
    signal.throwIfAborted();
    const cause = silence.signal.aborted ? silence.signal.reason : error;
    throw new Error(`Cannot download ${url}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  } finally {
    clearTimeout(timer);
  }
}
