/**
 * MCP over WebSocket, on `/mcp` and `/mcp/{backend}`: one text frame is one message, one connection is one session. Host,
 * origin and credentials were checked on the handshake like on any request; the credentials are looked at again with
 * every message, because keys and their limits change while connections stay open.
 */
import type { Caller } from "../../core/caller.ts";
import { GatewayError } from "../../core/errors.ts";
import type { Gateway } from "../../gateway/gateway.ts";
import type { Clock } from "../../lib/clock.ts";
import { longestMessageBytes, type ServerSocket, type ServerSocketHandlers } from "../../runtime/server-socket.ts";
import { Conversation } from "../conversation.ts";
import { newRequestId } from "../request-id.ts";
import { viewAskedBy } from "./asked-view.ts";
import type { Entrant } from "./authenticate.ts";
import { type StreamPace, whenExpired } from "./event-stream.ts";
import { keptCredentials, RequestCredentials } from "./request-credentials.ts";
import { Refusal } from "./respond.ts";
import type { Visit } from "./visit.ts";

export interface WebSocketDoorOptions {
  readonly gateway: Gateway;
  readonly pace: StreamPace;
  /** Who shows these headers on this path. @throws GatewayError UNAUTHENTICATED, TOO_MANY_ATTEMPTS */
  identify(headers: Headers, path: string, guest: Entrant): Caller | Promise<Caller>;
}

export interface WebSocketDoor {
  /** Answers a handshake. @throws Refusal, GatewayError SHUTTING_DOWN */
  open(visit: Visit, backend: string | undefined): Promise<Response>;
  /** Says good-bye to everyone, so that the server can stop. */
  endAll(): void;
}

const subprotocol = "mcp";
/** Close codes of RFC 6455 7.4.1. */
const goingAway = 1001;
const unsupportedData = 1003;
const policyViolation = 1008;
const messageTooBig = 1009;

const credentialsEnded = "The credentials are not valid any more";

/** Bytes that may wait for a client before the next message; one message may be as large as it is. */
const maxWaitingBytes = 16 * 1024 * 1024;
/** Pings in a row that bring nothing back until the client counts as gone. */
const maxUnanswered = 2;
/** Time for the good-bye to be taken before the connection is cut. */
const closeGraceMs = 2_000;

export function createWebSocketDoor(options: WebSocketDoorOptions): WebSocketDoor {
  const clients = new Set<SocketClient>();
  return {
    async open(visit, backend) {
      const offered = visit.request.headers.get("sec-websocket-protocol");
      const protocols = offered?.split(",").map((name) => name.trim());
      if (protocols !== undefined && !protocols.includes(subprotocol))
        throw new Refusal(400, `The "Sec-WebSocket-Protocol" header does not offer "${subprotocol}"`);
      if (options.gateway.draining)
        throw new GatewayError("SHUTTING_DOWN", "The gateway is stopping and takes no new connections");
      const response = await visit.peer.upgrade({
        protocol: protocols === undefined ? undefined : subprotocol,
        headers: { "x-request-id": visit.requestId },
        pingAfterMs: options.pace.keepAliveMs,
        handlers: new SocketClient(options, visit, backend, clients),
      });
      if (response !== undefined) return response;
      throw new Refusal(400, "The request is not a WebSocket handshake", {
        hint: "It needs Connection: Upgrade, Sec-WebSocket-Version: 13 and Sec-WebSocket-Key",
      });
    },
    endAll() {
      for (const client of clients) client.end(goingAway, "The gateway is stopping");
    },
  };
}

class SocketClient implements ServerSocketHandlers {
  readonly #options: WebSocketDoorOptions;
  readonly #path: string;
  readonly #guest: Entrant;
  /** What it showed at the handshake; with the session's id, by which it counts as at work. */
  readonly #headers: Headers;
  readonly #clients: Set<SocketClient>;
  readonly #conversation: Conversation;
  readonly #clock: Clock;
  #socket: ServerSocket | undefined;
  #sentBytes = 0;
  #takenBytes = 0;
  #unanswered = 0;
  #isEnding = false;
  #cancelTimer = () => {};
  readonly #cancelExpiry: () => void;

  constructor(
    options: WebSocketDoorOptions,
    { request, peer, path, caller }: Visit,
    backend: string | undefined,
    clients: Set<SocketClient>,
  ) {
    this.#options = options;
    this.#clock = options.pace.clock;
    this.#path = path;
    // Asked for once: the address is gone with the request.
    const { address } = peer;
    this.#guest = {
      address,
      get certified() {
        return peer.certified;
      },
    };
    this.#headers = keptCredentials(request.headers);
    if (caller.agent !== undefined) this.#headers.set("x-agent-id", caller.agent);
    this.#clients = clients;
    this.#cancelExpiry = whenExpired(caller, this.#clock, () => this.end(policyViolation, credentialsEnded));
    const { gateway } = options;
    this.#conversation = new Conversation({
      gateway,
      backend,
      view: viewAskedBy(request),
      peer: this.#guest,
      credentialsOf: (caller) => new RequestCredentials(this.#headers, caller, backend),
      send: (messageText) => this.#send(messageText),
      onEnded: () =>
        gateway.draining
          ? this.end(goingAway, "The gateway is stopping")
          : this.end(policyViolation, "The session was ended"),
    });
  }

  onOpen(socket: ServerSocket): void {
    this.#socket = socket;
    this.#clients.add(this);
    this.#watch();
  }

  onMessage(text: string | undefined): void {
    this.#unanswered = 0;
    if (this.#isEnding) return;
    const limit = Math.min(this.#options.gateway.config.server.max_body_size, longestMessageBytes);
    if (text === undefined) this.end(unsupportedData, "Messages are JSON in text frames");
    else if (text.length * 3 > limit && Buffer.byteLength(text) > limit)
      this.end(messageTooBig, `Messages are limited to ${limit} bytes`);
    else void this.#conversation.take(text, this.#identify, newRequestId());
  }

  onPong(): void {
    this.#unanswered = 0;
  }

  onClose(): void {
    this.#cancelTimer();
    this.#cancelExpiry();
    this.#clients.delete(this);
    this.#isEnding = true;
    this.#conversation.close();
  }

  /** Nothing more is taken from the client; what was sent before goes out first. */
  end(code: number, reason: string): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    this.#cancelTimer();
    this.#socket?.close(code, reason);
    this.#conversation.close();
    this.#cancelTimer = this.#clock.after(closeGraceMs, () => this.#socket?.terminate());
  }

  readonly #identify = (): Caller | Promise<Caller> => {
    const { session } = this.#conversation;
    if (session !== undefined) this.#headers.set("mcp-session-id", session.id);
    try {
      const caller = this.#options.identify(this.#headers, this.#path, this.#guest);
      return caller instanceof Promise ? caller.catch(this.#refused) : caller;
    } catch (error) {
      return this.#refused(error);
    }
  };

  readonly #refused = (error: unknown): never => {
    // Its key is gone; in a turn, so that the answer is sent before.
    if (error instanceof GatewayError && error.code === "UNAUTHENTICATED")
      this.#clock.after(0, () => this.end(policyViolation, credentialsEnded));
    throw error;
  };

  #send(messageText: string): void {
    const socket = this.#socket;
    if (socket === undefined || this.#isEnding) return;
    if (socket.waitingBytes > maxWaitingBytes) {
      this.end(policyViolation, "The client reads too slowly");
      return;
    }
    socket.send(messageText);
    this.#sentBytes += Buffer.byteLength(messageText);
  }

  /** Finds out whether the other side is still there: by what it says, what it takes, or a ping. */
  #watch(): void {
    const socket = this.#socket as ServerSocket;
    if (socket.ping === undefined) return;
    this.#cancelTimer = this.#clock.after(this.#options.pace.keepAliveMs, () => {
      const takenBytes = this.#sentBytes - socket.waitingBytes;
      if (takenBytes > this.#takenBytes) this.#unanswered = 0;
      this.#takenBytes = takenBytes;
      if (this.#unanswered >= maxUnanswered) return socket.terminate();
      this.#unanswered++;
      socket.ping?.();
      this.#watch();
    });
  }
}
