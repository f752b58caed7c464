/** One MCP session over one keep-alive socket, with just enough HTTP to read any answer, event streams included. */
import type { Socket } from "bun";

export interface Session {
  /** Rejects unless the answer is a JSON-RPC result that says nothing of an error. */
  request(method: string, params: unknown): Promise<void>;
  close(): void;
}

const headEnd = Buffer.from("\r\n\r\n");
/** An answer's beginning tells a result from an error, however large it is. */
const inspectedBytes = 4_096;

/** Reads one response after the other from a stream of chunks. */
class ResponseReader {
  #head: Buffer = Buffer.alloc(0);
  #inBody = false;
  /** Bytes left of the body, or of the current chunk of it. */
  #left = 0;
  #chunked = false;
  #pending = "";
  status = 0;
  sessionId: string | undefined;
  beginning = "";

  /** Returns true when a response is complete. A response ends with its chunk of bytes, because requests wait for it. */
  push(chunk: Buffer): boolean {
    let bytes = chunk;
    if (!this.#inBody) {
      this.#head = this.#head.length === 0 ? bytes : Buffer.concat([this.#head, bytes]);
      const end = this.#head.indexOf(headEnd);
      if (end < 0) return false;
      this.#readHead(this.#head.toString("latin1", 0, end));
      bytes = this.#head.subarray(end + 4);
      this.#head = Buffer.alloc(0);
      this.#inBody = true;
    }
    const isComplete = this.#chunked ? this.#pushChunked(bytes) : this.#pushPlain(bytes);
    if (isComplete) this.#inBody = false;
    return isComplete;
  }

  #readHead(head: string): void {
    this.status = Number(head.slice(9, 12));
    this.#chunked = /\r\ntransfer-encoding: *chunked/i.test(head);
    this.#left = this.#chunked ? 0 : Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
    this.sessionId = /\r\nmcp-session-id: *([^\r]+)/i.exec(head)?.[1] ?? this.sessionId;
    this.beginning = "";
    this.#pending = "";
  }

  #pushPlain(bytes: Buffer): boolean {
    this.#inspect(bytes);
    this.#left -= bytes.length;
    return this.#left <= 0;
  }

  #pushChunked(bytes: Buffer): boolean {
    let at = 0;
    while (at < bytes.length) {
      if (this.#left > 0) {
        const part = bytes.subarray(at, at + this.#left);
        this.#inspect(part);
        this.#left -= part.length;
        at += part.length;
        continue;
      }
      // Between chunks: "\r\n" of the last one, then "SIZE\r\n".
      const lineEnd = bytes.indexOf(10, at);
      if (lineEnd < 0) {
        this.#pending += bytes.toString("latin1", at);
        return false;
      }
      const line = (this.#pending + bytes.toString("latin1", at, lineEnd)).trim();
      this.#pending = "";
      at = lineEnd + 1;
      if (line === "") continue;
      this.#left = Number.parseInt(line, 16);
      if (this.#left === 0) return true;
    }
    return false;
  }

  #inspect(bytes: Buffer): void {
    if (this.beginning.length < inspectedBytes) this.beginning += bytes.toString("latin1", 0, inspectedBytes);
  }
}

export async function connectHttp(url: string): Promise<Session> {
  const { hostname, port, pathname } = new URL(url);
  const reader = new ResponseReader();
  let waiting: { resolve: () => void; reject: (error: Error) => void } | undefined;
  let unsent: Buffer | undefined;
  const fail = (error: Error) => waiting?.reject(error);
  const flush = (socket: Socket) => {
    if (!unsent) return;
    const written = socket.write(unsent);
    unsent = written < unsent.length ? unsent.subarray(written) : undefined;
  };
  const socket = await Bun.connect({
    hostname,
    port: Number(port),
    socket: {
      data(_socket, chunk) {
        if (!reader.push(chunk)) return;
        const { resolve, reject } = waiting!;
        waiting = undefined;
        const isGood = reader.status === 202 || (reader.status === 200 && reader.beginning.includes('"result":'));
        if (isGood && !reader.beginning.includes('"isError":true')) resolve();
        else reject(new Error(`${url} answered ${reader.status}: ${reader.beginning.slice(0, 500)}`));
      },
      drain: flush,
      close: () => fail(new Error(`${url} hung up`)),
      error: (_socket, error) => fail(error),
    },
  });
  socket.setNoDelay(true);

  let headText = "";
  const setHead = (sessionId: string | undefined) => {
    const session =
      sessionId === undefined ? "" : `mcp-session-id: ${sessionId}\r\nmcp-protocol-version: 2025-11-25\r\n`;
    headText = `POST ${pathname} HTTP/1.1\r\nhost: ${hostname}:${port}\r\ncontent-type: application/json\r\naccept: application/json, text/event-stream\r\n${session}content-length: `;
  };
  const send = (message: object): Promise<void> => {
    const body = JSON.stringify(message);
    unsent = Buffer.from(`${headText}${Buffer.byteLength(body)}\r\n\r\n${body}`);
    const answered = new Promise<void>((resolve, reject) => {
      waiting = { resolve, reject };
    });
    flush(socket);
    return answered;
  };
  setHead(undefined);
  const clientInfo = { name: "bench", version: "1.0.0" };
  const params = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo };
  await send({ jsonrpc: "2.0", id: 0, method: "initialize", params });
  setHead(reader.sessionId);
  await send({ jsonrpc: "2.0", method: "notifications/initialized" });
  let lastId = 0;
  return {
    request: (method, callParams) => send({ jsonrpc: "2.0", id: ++lastId, method, params: callParams }),
    close() {
      waiting = undefined;
      socket.end();
    },
  };
}
