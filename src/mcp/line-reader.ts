/**
 * Messages out of a byte stream, one per line (basic/transports, "stdio"). Bounded: a server that never ends its line
 * costs no more than the cap. Lenient where servers are sloppy (CRLF, byte order mark, blank lines), strict in UTF-8.
 */
import { ByteCollector } from "../lib/byte-collector.ts";
import { decodeUtf8 } from "../lib/utf8.ts";

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

/** Gives a function that takes the stream chunk by chunk. */
export function createLineReader(options: LineReaderOptions): (chunk: Uint8Array) => void {
  const begun = new ByteCollector();
  /** Set once the line is beyond the cap: from then on only its last bytes are remembered. */
  let skipping: { readonly head: string; tail: Uint8Array; bytes: number } | undefined;

  const onLine = (line: Uint8Array) => {
    const end = line.length - (line[line.length - 1] === 0x0d ? 1 : 0);
    if (end === 0) return;
    let text: string;
    try {
      text = decodeUtf8(end === line.length ? line : line.subarray(0, end));
    } catch {
      options.onBroken({ problem: "not UTF-8", head: lossy(line.subarray(0, edgeBytes)), tail: lossy(tailOf(line)) });
      return;
    }
    options.onLine(text);
  };

  /** Takes a part of a line that is not whole in one chunk. */
  const append = (part: Uint8Array) => {
    if (skipping !== undefined) {
      const { bytes } = skipping;
      skipping.bytes += part.length;
      skipping.tail = part.length >= edgeBytes ? tailOf(part) : tailOf(concat(skipping.tail, part));
      if (bytes <= maxSkippedBytes && skipping.bytes > maxSkippedBytes) options.onEndless();
      return;
    }
    begun.append(part);
    if (begun.byteLength <= options.maxBytes) return;
    const line = begun.take();
    skipping = { head: lossy(line.subarray(0, edgeBytes)), tail: tailOf(line), bytes: line.length };
  };

  const end = (part: Uint8Array) => {
    if (skipping === undefined && begun.byteLength === 0 && part.length <= options.maxBytes) return onLine(part);
    append(part);
    if (skipping === undefined) return onLine(begun.take());
    const { head, tail } = skipping;
    skipping = undefined;
    options.onBroken({ problem: "too long", head, tail: lossy(tail) });
  };

  /**
   * Whole lines that came together, decoded together: with small messages that is most of the cost of a line.
   * False, and nothing done, where one of them needs a closer look.
   */
  const readTogether = (lines: Uint8Array): boolean => {
    let text: string;
    try {
      text = decodeUtf8(lines);
    } catch {
      return false;
    }
    // A byte order mark is skipped at the beginning of what is decoded, so each line has to be decoded for itself.
    if (text.includes("\ufeff")) return false;
    let from = 0;
    for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", from)) {
      const end = at - (text.charCodeAt(at - 1) === 0x0d ? 1 : 0);
      if (end > from) options.onLine(text.slice(from, end));
      from = at + 1;
    }
    return true;
  };

  const readEach = (lines: Uint8Array): void => {
    let from = 0;
    for (let at = lines.indexOf(0x0a); at >= 0; at = lines.indexOf(0x0a, from)) {
      end(lines.subarray(from, at));
      from = at + 1;
    }
  };

  return (chunk) => {
    const first = chunk.indexOf(0x0a);
    if (first < 0) return append(chunk);
    const isBegun = begun.byteLength > 0 || skipping !== undefined;
    if (isBegun) end(chunk.subarray(0, first));
    const from = isBegun ? first + 1 : 0;
    const to = chunk.lastIndexOf(0x0a) + 1;
    if (from < to) {
      const lines = from === 0 && to === chunk.length ? chunk : chunk.subarray(from, to);
      if (lines.length > options.maxBytes || !readTogether(lines)) readEach(lines);
    }
    if (to < chunk.length) append(chunk.subarray(to));
  };
}

function concat(first: Uint8Array, second: Uint8Array): Uint8Array {
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}

/** A copy, so that it does not keep the whole chunk. */
function tailOf(bytes: Uint8Array): Uint8Array {
  return bytes.slice(-edgeBytes);
}

function lossy(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
