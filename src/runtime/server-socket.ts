/** WebSocket connections of clients, on Bun's server or Deno's. Loaded with the first of them. */

export interface ServerSocketHandlers {
  onOpen(socket: ServerSocket): void;
  /** @param text `undefined` for a binary message */
  onMessage(text: string | undefined): void;
  /** The client answered {@link ServerSocket.ping}. */
  onPong(): void;
  /** Called once, last, however it ended. */
  onClose(): void;
}

export interface ServerSocket {
  /** Bytes the client has not taken yet. */
  readonly waitingBytes: number;
  send(text: string): void;
  /** Absent on Deno, which pings by itself and closes when nothing comes back. */
  readonly ping: (() => void) | undefined;
  /** Says good-bye; the client closes the connection. */
  close(code: number, reason: string): void;
  /** Ends it without a word; on Deno, which cannot, as {@link close} does. */
  terminate(): void;
}

export interface UpgradeOptions {
  /** Subprotocol to agree on, if any. */
  readonly protocol: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  /** Where the runtime pings by itself: how long it waits before. */
  readonly pingAfterMs: number;
  readonly handlers: ServerSocketHandlers;
}

/** Largest message either runtime takes before anybody is asked: it closes the connection with code 1009 by itself. */
export const longestMessageBytes = 64 * 1024 * 1024;

/** Sent on by the server, see `serve.ts`. */
export class BunServerSocket implements ServerSocket {
  readonly handlers: ServerSocketHandlers;
  #socket!: Bun.ServerWebSocket<BunServerSocket>;

  constructor(handlers: ServerSocketHandlers) {
    this.handlers = handlers;
  }

  opened(socket: Bun.ServerWebSocket<BunServerSocket>): void {
    this.#socket = socket;
    this.handlers.onOpen(this);
  }

  get waitingBytes(): number {
    return this.#socket.getBufferedAmount();
  }

  send(text: string): void {
    this.#socket.send(text);
  }

  ping(): void {
    this.#socket.ping();
  }

  close(code: number, reason: string): void {
    this.#socket.close(code, reason);
  }

  terminate(): void {
    this.#socket.terminate();
  }
}

/** What is used of Deno; its own types would collide with Bun's. */
interface DenoUpgrade {
  upgradeWebSocket(
    request: Request,
    options: { protocol?: string; headers: Readonly<Record<string, string>>; idleTimeout: number },
  ): { socket: WebSocket; response: Response };
}

/** The answer to give to the request. @throws TypeError when it is no handshake */
export function upgradeOnDeno(request: Request, options: UpgradeOptions): Response {
  const { Deno } = globalThis as unknown as { Deno: DenoUpgrade };
  const { protocol, headers, pingAfterMs, handlers } = options;
  const { socket, response } = Deno.upgradeWebSocket(request, {
    ...(protocol === undefined ? {} : { protocol }),
    headers,
    idleTimeout: Math.ceil(pingAfterMs / 1_000),
  });
  socket.binaryType = "arraybuffer";
  socket.onopen = () => handlers.onOpen(new DenoServerSocket(socket));
  socket.onmessage = ({ data }) => handlers.onMessage(typeof data === "string" ? data : undefined);
  socket.onclose = () => handlers.onClose();
  // What went wrong is of no interest: a close follows.
  socket.onerror = (event) => event.preventDefault();
  return response;
}

class DenoServerSocket implements ServerSocket {
  readonly ping = undefined;
  readonly #socket: WebSocket;

  constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  get waitingBytes(): number {
    return this.#socket.bufferedAmount;
  }

  send(text: string): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(text);
  }

  close(code: number, reason: string): void {
    this.#socket.close(code, reason);
  }

  terminate(): void {
    this.#socket.close();
  }
}
