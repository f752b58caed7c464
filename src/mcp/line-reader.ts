/**
 * Messages out of a byte stream, one per line (basic/transports, "stdio"). Bounded: a server that never ends its line
 * costs no more than the cap. Lenient where servers are sloppy (CRLF, byte order mark, blank lines), strict in UTF-8.
 */
export const defaultMaxLineBytes = 16 * 1024 * 1024;
/** What is read of a line beyond the cap, without keeping it, before the stream is given up. */
export const maxSkippedBytes = 256 * 1024 * 1024;
const edgeBytes = 256;

/** A line that cannot be read: its first and last bytes, so that the request it answers can be told. */
export interface BrokenLine {
  readonly problem: "not UTF-8" | "too long";
  readonly head: string;
  readonly tail: string;
}

export interface LineReaderOptions {
  /** Longest line in bytes. */
  readonly maxBytes: number;
  onLine(text: string): void;
  onBroken(line: BrokenLine): void;
  /** A line passed {@link maxSkippedBytes}: the stream is not worth reading on. Called once. */
  onEndless(): void;
}

/** Gives a function that takes the stream chunk by chunk; chunks are kept until their line ends. */
export function createLineReader(options: LineReaderOptions): (chunk: Uint8Array) => void {
  const strict = new TextDecoder("utf-8", { fatal: true });
  let parts: Uint8Array[] = [];
  let length = 0;
  let skipping: { head: string; tail: Uint8Array } | undefined;

  const onLine = (line: Uint8Array) => {
    const end = line.length - (line[line.length - 1] === 0x0d ? 1 : 0);
    if (end === 0) return;
    let text: string;
    try {
      text = strict.decode(end === line.length ? line : line.subarray(0, end));
    } catch {
      options.onBroken({ problem: "not UTF-8", head: lossy(line.subarray(0, edgeBytes)), tail: lossy(tailOf(line)) });
      return;
    }
    options.onLine(text);
  };

  /** Keeps the start of a line that goes on in the next chunk. */
  const keep = (part: Uint8Array) => {
    length += part.length;
    if (skipping === undefined) {
      parts.push(part);
      if (length <= options.maxBytes) return;
      const line = joined(parts, length);
      skipping = { head: lossy(line.subarray(0, edgeBytes)), tail: tailOf(line) };
      parts = [];
    } else if (part.length >= edgeBytes) skipping.tail = tailOf(part);
    else skipping.tail = tailOf(joined([skipping.tail, part], skipping.tail.length + part.length));
    if (length > maxSkippedBytes && length - part.length <= maxSkippedBytes) options.onEndless();
  };

  const end = (part: Uint8Array) => {
    if (length === 0 && part.length <= options.maxBytes) return onLine(part);
    keep(part);
    const line = skipping === undefined ? joined(parts, length) : undefined;
    const skipped = skipping;
    parts = [];
    length = 0;
    skipping = undefined;
    if (line !== undefined) onLine(line);
    else if (skipped !== undefined)
      options.onBroken({ problem: "too long", head: skipped.head, tail: lossy(skipped.tail) });
  };

  return (chunk) => {
    let from = 0;
    for (let at = chunk.indexOf(0x0a); at >= 0; at = chunk.indexOf(0x0a, from)) {
      end(chunk.subarray(from, at));
      from = at + 1;
    }
    if (from < chunk.length) keep(from === 0 ? chunk : chunk.subarray(from));
  };
}

function joined(parts: readonly Uint8Array[], length: number): Uint8Array {
  if (parts.length === 1) return parts[0] as Uint8Array;
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** A copy, so that it does not keep the whole chunk. */
function tailOf(bytes: Uint8Array): Uint8Array {
  return bytes.slice(-edgeBytes);
}

function lossy(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
