/**
 * A strict HTTP/1.1 response parser (RFC 9112), fed with whatever pieces the socket gives. Where two readers could
 * disagree about where a message ends, it is refused: the next answer on the connection would belong to someone else.
 */
import { HttpFault } from "./http-errors.ts";
import type { ResponseHead } from "./http-exchange.ts";
import { checkHeaderLine, ParsedHead } from "./response-head.ts";

export interface ResponseReceiver {
  onHead(head: ResponseHead): void;
  onBody(bytes: Uint8Array): void;
  /** Called once, after everything else. */
  onEnd(): void;
}

const maxHeadBytes = 32_768;
const maxInformational = 8;
const maxChunkLineBytes = 1_024;
const maxExtensionBytes = 16_384;
const maxTrailerBytes = 8_192;

type State = "head" | "length" | "chunk size" | "chunk data" | "chunk end" | "trailer" | "until close" | "done";

export class ResponseParser {
  /** Whether the connection may carry another exchange once this one is done. */
  keepAlive = true;
  /** What the server says it keeps an idle connection for (`Keep-Alive: timeout=`). */
  keepAliveMs: number | undefined;
  readonly #receiver: ResponseReceiver;
  #state: State = "head";
  /** Bytes left of the body or of the chunk. */
  #left = 0;
  /** The beginning of a head or line that is not complete. */
  #held: Buffer | undefined;
  #informational = 0;
  #extensionBytes = 0;
  #trailerBytes = 0;

  constructor(receiver: ResponseReceiver) {
    this.#receiver = receiver;
  }

  /** Makes it ready for the next response of the same connection. */
  reset(): void {
    this.#state = "head";
    this.#informational = 0;
    this.#extensionBytes = 0;
    this.#trailerBytes = 0;
  }

  /** @throws HttpFault, and whatever the receiver throws; it must not be used again then */
  push(chunk: Buffer): void {
    const bytes = this.#held === undefined ? chunk : Buffer.concat([this.#held, chunk]);
    this.#held = undefined;
    let at = 0;
    while (at < bytes.length) {
      const next = this.#step(bytes, at);
      if (next === undefined) {
        this.#held = bytes.subarray(at);
        return;
      }
      at = next;
      if (this.#state === "done") {
        if (at < bytes.length) throw new HttpFault("more bytes than the length of the answer allows");
        this.#receiver.onEnd();
        return;
      }
    }
  }

  /** The server ended the stream in good order. True when that completes the response. */
  finish(): boolean {
    if (this.#state !== "until close") return false;
    this.#state = "done";
    this.#receiver.onEnd();
    return true;
  }

  /** Consumes from `at`; the new position, or `undefined` when more bytes are needed. */
  #step(bytes: Buffer, at: number): number | undefined {
    switch (this.#state) {
      case "head":
        return this.#readHead(bytes, at);
      case "length":
      case "chunk data": {
        const end = Math.min(at + this.#left, bytes.length);
        this.#left -= end - at;
        if (this.#left === 0) this.#state = this.#state === "length" ? "done" : "chunk end";
        this.#receiver.onBody(at === 0 && end === bytes.length ? bytes : bytes.subarray(at, end));
        return end;
      }
      case "until close":
        this.#receiver.onBody(at === 0 ? bytes : bytes.subarray(at));
        return bytes.length;
      case "chunk end":
        if (bytes.length - at < 2) return undefined;
        if (bytes[at] !== 0x0d || bytes[at + 1] !== 0x0a) throw new HttpFault("a chunk that is not of its length");
        this.#state = "chunk size";
        return at + 2;
      case "chunk size":
        return this.#readChunkSize(bytes, at);
      case "trailer":
        return this.#readTrailer(bytes, at);
      case "done":
        throw new HttpFault("bytes after the answer");
    }
  }

  #readHead(bytes: Buffer, at: number): number | undefined {
    const end = bytes.indexOf("\r\n\r\n", at, "latin1");
    if (end < 0 ? bytes.length - at > maxHeadBytes : end - at > maxHeadBytes)
      throw new HttpFault(`a head of more than ${maxHeadBytes} bytes`);
    if (end < 0) {
      // A server that ends lines with a bare line feed would otherwise keep us waiting for ever.
      const lineFeed = bytes.indexOf(0x0a, at);
      if (lineFeed >= 0 && bytes[lineFeed - 1] !== 0x0d) throw new HttpFault("a bare line feed in the head");
      return undefined;
    }
    const head = new ParsedHead(bytes.toString("latin1", at, end));
    if (head.status < 200) {
      if (head.status === 101) throw new HttpFault("a change of protocol that was not asked for");
      if (++this.#informational > maxInformational) throw new HttpFault("too many informational responses");
      return end + 4;
    }
    this.#frame(head);
    this.#receiver.onHead(head);
    return end + 4;
  }

  /** RFC 9112 6.3, without its leniencies. */
  #frame(head: ParsedHead): void {
    const { status, minor } = head;
    const connection = head.get("connection")?.toLowerCase();
    this.keepAlive = minor === 1 && (connection === undefined || !connection.includes("close"));
    this.keepAliveMs = keepAliveMs(head.get("keep-alive"));
    const encoding = head.only("transfer-encoding");
    const length = head.only("content-length");
    if (encoding !== undefined) {
      if (length !== undefined) throw new HttpFault("both Content-Length and Transfer-Encoding");
      if (encoding.toLowerCase() !== "chunked" || minor !== 1)
        throw new HttpFault("a Transfer-Encoding other than chunked");
    }
    if (length !== undefined && !/^\d{1,15}$/.test(length)) throw new HttpFault("an invalid Content-Length");
    const contentEncoding = head.get("content-encoding");
    if (contentEncoding !== undefined && contentEncoding.toLowerCase() !== "identity")
      throw new HttpFault("a compressed body that was not asked for");

    if (status === 204 || status === 304) this.#state = "done";
    else if (encoding !== undefined) this.#state = "chunk size";
    else if (length !== undefined) {
      this.#left = Number(length);
      this.#state = this.#left === 0 ? "done" : "length";
    } else {
      this.keepAlive = false;
      this.#state = "until close";
    }
  }

  #readChunkSize(bytes: Buffer, at: number): number | undefined {
    const line = this.#readLine(bytes, at);
    if (line === undefined) return undefined;
    const match = /^([0-9a-fA-F]{1,12})[\t ]*(;[\t\x20-\x7e\x80-\xff]*)?$/.exec(line);
    if (match === null) throw new HttpFault("an invalid chunk size");
    this.#extensionBytes += match[2]?.length ?? 0;
    if (this.#extensionBytes > maxExtensionBytes) throw new HttpFault("too many chunk extensions");
    this.#left = Number.parseInt(match[1] as string, 16);
    this.#state = this.#left === 0 ? "trailer" : "chunk data";
    return at + line.length + 2;
  }

  #readTrailer(bytes: Buffer, at: number): number | undefined {
    const line = this.#readLine(bytes, at);
    if (line === undefined) return undefined;
    this.#trailerBytes += line.length + 2;
    if (this.#trailerBytes > maxTrailerBytes) throw new HttpFault(`trailers of more than ${maxTrailerBytes} bytes`);
    if (line === "") this.#state = "done";
    else checkHeaderLine(line);
    return at + line.length + 2;
  }

  #readLine(bytes: Buffer, at: number): string | undefined {
    const end = bytes.indexOf(0x0a, at);
    if (end < 0 ? bytes.length - at > maxChunkLineBytes : end - at > maxChunkLineBytes)
      throw new HttpFault("a chunk line that does not end");
    if (end < 0) return undefined;
    if (end === at || bytes[end - 1] !== 0x0d) throw new HttpFault("a bare line feed between chunks");
    return bytes.toString("latin1", at, end - 1);
  }
}

function keepAliveMs(value: string | undefined): number | undefined {
  const seconds = value === undefined ? undefined : /(?:^|[,\s])timeout=(\d{1,6})\b/i.exec(value)?.[1];
  return seconds === undefined ? undefined : Number(seconds) * 1_000;
}
