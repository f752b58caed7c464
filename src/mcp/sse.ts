/**
 * Server-sent events (WHATWG HTML, "Interpreting an event stream"), both ways.
 * The reader works on bytes: lines are found without decoding, so one event of 10 MB in small chunks costs linear time,
 * and its size is known exactly before it is held.
 */

import { ByteCollector } from "../lib/byte-collector.ts";
import { decodeUtf8 } from "../lib/utf8.ts";

export interface SseEvent {
  /** `message` when the stream does not say. */
  readonly event: string;
  /** The `data:` lines, joined by line feeds. */
  readonly data: string;
}

const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const colon = 0x3a;

/** Thrown by {@link SseReader.push} when one event is larger than the cap. */
export class SseEventTooLarge extends Error {
  override readonly name = "SseEventTooLarge";
}

export class SseReader {
  /** Of the last event that named one; what `Last-Event-ID` is to say. */
  lastEventId = "";
  /** Reconnection time the server asked for. */
  retryMs: number | undefined;
  readonly #maxEventBytes: number;
  readonly #onEvent: (event: SseEvent) => void;
  /** The line that has begun but not ended. */
  readonly #line = new ByteCollector();
  /** Bytes of the event so far, with the unfinished line, without line ends. */
  #eventBytes = 0;
  #event = "";
  #data: string | undefined;
  #id: string | undefined;
  #firstLine = true;
  #skipLineFeed = false;

  constructor(maxEventBytes: number, onEvent: (event: SseEvent) => void) {
    this.#maxEventBytes = maxEventBytes;
    this.#onEvent = onEvent;
  }

  /**
   * Takes the next bytes; calls back for every event they complete.
   * @throws SseEventTooLarge
   * @throws TypeError on bytes that are not UTF-8
   */
  push(chunk: Uint8Array): void {
    let from = 0;
    if (this.#skipLineFeed && chunk.byteLength > 0) {
      if (chunk[0] === lineFeed) from = 1;
      this.#skipLineFeed = false;
    }
    // Each is searched for again only once passed, so a chunk without one kind of line end is scanned for it once.
    let nextLineFeed = find(chunk, lineFeed, from);
    let nextReturn = find(chunk, carriageReturn, from);
    while (from < chunk.byteLength) {
      if (nextLineFeed < from) nextLineFeed = find(chunk, lineFeed, from);
      if (nextReturn < from) nextReturn = find(chunk, carriageReturn, from);
      const end = Math.min(nextLineFeed, nextReturn);
      this.#count(end - from);
      if (end === chunk.byteLength) {
        this.#line.append(chunk.subarray(from));
        return;
      }
      this.#endLine(chunk.subarray(from, end));
      from = end + 1;
      if (end === nextReturn) {
        if (from === chunk.byteLength) this.#skipLineFeed = true;
        else if (chunk[from] === lineFeed) from++;
      }
    }
  }

  /** The stream has ended. False when that was in the middle of an event, which is then lost (the standard discards it). */
  end(): boolean {
    const whole = this.#line.byteLength === 0 && this.#data === undefined;
    this.#line.take();
    this.#reset();
    return whole;
  }

  #count(bytes: number): void {
    this.#eventBytes += bytes;
    if (this.#eventBytes > this.#maxEventBytes)
      throw new SseEventTooLarge(`The event is larger than ${this.#maxEventBytes} bytes`);
  }

  #endLine(last: Uint8Array): void {
    let line = last;
    if (this.#line.byteLength > 0) {
      this.#line.append(last);
      line = this.#line.take();
    }
    if (this.#firstLine) {
      this.#firstLine = false;
      if (line[0] === 0xef && line[1] === 0xbb && line[2] === 0xbf) line = line.subarray(3);
    }
    if (line.byteLength === 0) this.#dispatch();
    else if (line[0] === colon) {
      // A comment is part of no event: a stream that is kept alive for days by them must not reach the cap.
      if (this.#data === undefined) this.#eventBytes = 0;
    } else this.#field(decodeUtf8(line, "keep"));
  }

  #field(line: string): void {
    const at = line.indexOf(":");
    const name = at < 0 ? line : line.slice(0, at);
    const value = at < 0 ? "" : line.slice(line.charCodeAt(at + 1) === 0x20 ? at + 2 : at + 1);
    switch (name) {
      case "data":
        this.#data = this.#data === undefined ? value : `${this.#data}\n${value}`;
        return;
      case "event":
        this.#event = value;
        return;
      case "id":
        if (!value.includes("\0")) this.#id = value;
        return;
      case "retry":
        if (/^\d{1,9}$/.test(value)) this.retryMs = Number(value);
    }
  }

  #dispatch(): void {
    const data = this.#data;
    const event = this.#event === "" ? "message" : this.#event;
    if (this.#id !== undefined) this.lastEventId = this.#id;
    this.#reset();
    if (data !== undefined) this.#onEvent({ event, data });
  }

  #reset(): void {
    this.#event = "";
    this.#data = undefined;
    this.#id = undefined;
    this.#eventBytes = 0;
  }
}

function find(bytes: Uint8Array, byte: number, from: number): number {
  const at = bytes.indexOf(byte, from);
  return at < 0 ? bytes.byteLength : at;
}

export interface SseEventToWrite {
  /** Any text; every line of it becomes a `data:` line. */
  readonly data: string;
  /** Neither may contain a line end. */
  readonly event?: string | undefined;
  readonly id?: string | undefined;
}

export function encodeSseEvent({ data, event, id }: SseEventToWrite): string {
  const head = `${event === undefined ? "" : `event: ${event}\n`}${id === undefined ? "" : `id: ${id}\n`}`;
  const lines = /[\r\n]/.test(data) ? data.replaceAll(/\r\n|\r|\n/g, "\ndata: ") : data;
  return `${head}data: ${lines}\n\n`;
}

/** A line that readers skip: keeps the connection from looking idle. */
export function sseComment(text = ""): string {
  return `: ${text}\n\n`;
}
