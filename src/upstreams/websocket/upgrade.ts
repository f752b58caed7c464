/** The opening of a WebSocket connection as a client (RFC 6455 4.1): one HTTP request, and an answer that must fit it. */
import { sha1Base64 } from "../../runtime/digest.ts";
import { randomBytes } from "../../runtime/random.ts";
import { HttpFault, protocolError, statusError } from "../http/http-errors.ts";
import { RequestHead } from "../http/request-head.ts";
import { ParsedHead } from "../http/response-head.ts";

/** Registered nowhere; what the official SDKs offer and expect. */
const subprotocol = "mcp";
const maxHeadBytes = 32_768;
/** Appended to the key by every server (RFC 6455 1.3). */
const guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

export class Upgrade {
  /** As it goes over the socket. */
  readonly request: string;
  readonly #server: string;
  readonly #key = btoa(String.fromCharCode(...randomBytes(16)));
  #held = "";

  /** @param headers all of the backend's own, checked, with lower-case names */
  constructor(server: string, url: URL, headers: Readonly<Record<string, string>>) {
    this.#server = server;
    const head = new RequestHead("GET", url, {
      ...headers,
      connection: "Upgrade",
      upgrade: "websocket",
      "sec-websocket-version": "13",
      "sec-websocket-key": this.#key,
      "sec-websocket-protocol": subprotocol,
    });
    this.request = `${head.wire}\r\n`;
  }

  /**
   * Takes the next bytes of the answer. Returns what came behind its head, or `undefined` while that is not whole.
   * @throws HttpStatusError when the answer is another, UpstreamError UPSTREAM_PROTOCOL when it breaks the rules
   */
  read(bytes: Uint8Array): Uint8Array | undefined {
    this.#held += Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
    const end = this.#held.indexOf("\r\n\r\n");
    const isHttp = this.#held.startsWith("HTTP/".slice(0, this.#held.length));
    if (end < 0 && isHttp && this.#held.length <= maxHeadBytes) return undefined;
    try {
      if (end < 0 && isHttp) throw new HttpFault(`a head of more than ${maxHeadBytes} bytes`);
      const head = new ParsedHead(end < 0 ? this.#held : this.#held.slice(0, end));
      const rest = Buffer.from(this.#held.slice(end + 4), "latin1");
      this.#check(head, rest);
      return rest;
    } catch (error) {
      if (error instanceof HttpFault)
        throw protocolError(this.#server, `answered the WebSocket handshake with ${error.message}`, { cause: error });
      throw error;
    }
  }

  #check(head: ParsedHead, rest: Buffer): void {
    if (head.status !== 101) throw statusError(this.#server, head, rest.toString());
    const agreed = head.get("sec-websocket-protocol");
    if (head.get("upgrade")?.toLowerCase() !== "websocket") throw new HttpFault("status 101 for something else");
    if (head.only("sec-websocket-accept") !== sha1Base64(this.#key + guid))
      throw new HttpFault("the answer to another one");
    if (head.get("sec-websocket-extensions") !== undefined) throw new HttpFault("an extension that was not offered");
    if (agreed !== undefined && agreed !== subprotocol)
      throw new HttpFault(`the subprotocol "${agreed.slice(0, 100)}", which was not offered`);
  }
}
