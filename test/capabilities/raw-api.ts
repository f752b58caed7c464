/** An API on loopback that keeps every request as the bytes that came in, and answers with whatever the test says. */
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";

export interface RawRequest {
  /** `GET /path?query HTTP/1.1`, as it was sent. */
  readonly line: string;
  /** By lower-case name. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

export interface RawAnswer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

export class RawApi {
  readonly requests: RawRequest[] = [];
  readonly origin: string;
  readonly port: number;
  readonly #close: () => Promise<void>;

  private constructor(port: number, close: () => Promise<void>) {
    this.port = port;
    this.origin = `http://127.0.0.1:${port}`;
    this.#close = close;
  }

  /** `undefined` as the answer leaves the caller waiting. */
  static async start(answer: (request: RawRequest) => RawAnswer | undefined = () => ({})): Promise<RawApi> {
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket);
      let received = "";
      socket.setEncoding("latin1");
      socket.on("error", () => {});
      socket.on("close", () => sockets.delete(socket));
      socket.on("data", (data) => {
        received += data;
        const request = parse(received);
        if (request === undefined) return;
        received = "";
        api.requests.push(request);
        const reply = answer(request);
        if (reply !== undefined) socket.end(encode(reply));
      });
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const api = new RawApi((server.address() as AddressInfo).port, async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    });
    return api;
  }

  get last(): RawRequest {
    const request = this.requests.at(-1);
    if (request === undefined) throw new Error("No request came in");
    return request;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#close();
  }
}

function parse(received: string): RawRequest | undefined {
  const end = received.indexOf("\r\n\r\n");
  if (end < 0) return undefined;
  const [line = "", ...fields] = received.slice(0, end).split("\r\n");
  const headers = new Map<string, string>();
  for (const field of fields) {
    const colon = field.indexOf(":");
    headers.set(field.slice(0, colon).toLowerCase(), field.slice(colon + 1).trim());
  }
  const body = received.slice(end + 4);
  if (body.length < Number(headers.get("content-length") ?? 0)) return undefined;
  return { line, headers, body: Buffer.from(body, "latin1").toString("utf8") };
}

function encode({ status = 200, headers = {}, body = "{}" }: RawAnswer): Uint8Array {
  const all = {
    "content-type": "application/json",
    ...headers,
    "content-length": String(Buffer.byteLength(body)),
    connection: "close",
  };
  const fields = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.concat([Buffer.from(`HTTP/1.1 ${status} Status\r\n${fields.join("")}\r\n`), Buffer.from(body)]);
}
