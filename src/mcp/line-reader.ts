/**
 * Messages out of a byte stream, one per line (basic/transports, "stdio"). Bounded: a server that never ends its line
 * costs no more than the cap. Lenient where servers are sloppy (CRLF, byte order mark, blank lines), strict in UTF-8.
 */
import { ByteCollector } from "../lib/byte-collector.ts";

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
  const strict = new TextDecoder("utf-8", { fatal: true });
  const begun = new ByteCollector();
  /** Set once the line is beyond the cap: from then on only its last bytes are remembered. */
  let skipping: { readonly head: string; tail: Uint8Array; bytes: number } | undefined;

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

  return (chunk) => {
    let from = 0;
    for (let at = chunk.indexOf(0x0a); at >= 0; at = chunk.indexOf(0x0a, from)) {
      end(chunk.subarray(from, at));
      from = at + 1;
    }
    if (from < chunk.length) append(from === 0 ? chunk : chunk.subarray(from));
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
