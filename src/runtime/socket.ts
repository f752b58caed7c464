/**
 * A TCP, TLS or Unix-domain client socket, as lean as the runtime has it: Bun's own sockets under Bun (half again as
 * many round trips per second as node:net there), node:net under Deno, and node:tls, which checks who the server is,
 * under both.
 */
import { builtin } from "./builtin.ts";

interface TcpAddress {
  readonly host: string;
  readonly port: number;
  /** Name, or address, that the certificate must be of; left out, there is no TLS. */
  readonly tls?: string | undefined;
}

export type SocketAddress = TcpAddress | { readonly path: string };

export interface SocketHandlers {
  /** True tells that the bytes are not needed any more: long ones are given back at once. */
  onData(bytes: Buffer): boolean | void;
  /**
   * Called once, last, also after {@link Socket.destroy}. `error` is absent when the peer ended the stream in good order
   * or when it was destroyed here; {@link Socket.opened} tells a failed connect from a lost connection.
   */
  onClose(error: Error | undefined): void;
  /** All that {@link Socket.write} had to hold back has been handed to the system. */
  onDrain?(): void;
}

export interface Socket {
  readonly opened: boolean;
  /** Sends, or queues while connecting or while the peer is slow. Returns the bytes that wait in this process. */
  write(data: string | Uint8Array): number;
  /** What {@link write} returned last, less what was taken since. */
  readonly waitingBytes: number;
  /** Ends it at once in both directions. Idempotent. */
  destroy(): void;
}

/** Starts to connect; failures arrive at `onClose`, so nothing is to be awaited and nothing can reject. */
export function connectSocket(address: SocketAddress, handlers: SocketHandlers): Socket {
  const isPlain = "path" in address || address.tls === undefined;
  return "Bun" in globalThis && isPlain ? new BunSocket(address, handlers) : new NodeSocket(address, handlers);
}

const longBytes = 16_384;

/** The next piece gets the same memory, while it is in the processor's cache; otherwise megabytes wait for a collection. */
function giveBack({ buffer, byteLength }: Buffer): void {
  if (buffer.byteLength === byteLength) (buffer as ArrayBuffer).transfer(0);
}

class BunSocket implements Socket {
  readonly #handlers: SocketHandlers;
  #socket: Bun.Socket<BunSocket> | undefined;
  /** What the system has not taken yet, oldest first. */
  #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  #closed = false;
  opened = false;

  constructor(address: SocketAddress, handlers: SocketHandlers) {
    this.#handlers = handlers;
    const options = { data: this as BunSocket, socket: BunSocket.#events };
    const connecting =
      "path" in address
        ? Bun.connect({ ...options, unix: address.path })
        : Bun.connect({ ...options, hostname: address.host, port: address.port });
    connecting.catch((error: Error) => this.#close(error));
  }

  get waitingBytes(): number {
    return this.#queuedBytes;
  }

  static readonly #events: Bun.SocketHandler<BunSocket> = {
    open: (socket) => socket.data.#open(socket),
    data: (socket, bytes) => {
      if (socket.data.#closed) return;
      const isDone = socket.data.#handlers.onData(bytes);
      if (isDone === true && bytes.byteLength >= longBytes) giveBack(bytes);
    },
    drain: (socket) => socket.data.#flush(),
    // The peer will send no more; half-open connections are of no use to a client.
    end: (socket) => socket.data.destroy(),
    close: (socket, error) => socket.data.#close(error),
    error: (socket, error) => socket.data.#close(error),
  };

  write(data: string | Uint8Array): number {
    if (this.#closed) return 0;
    const socket = this.#queue.length === 0 ? this.#socket : undefined;
    const sent = socket === undefined ? 0 : Math.max(socket.write(data), 0);
    const bytes = typeof data === "string" ? Buffer.byteLength(data) : data.byteLength;
    if (sent < bytes) {
      const rest = typeof data === "string" ? Buffer.from(data) : data;
      this.#queue.push(rest.subarray(sent));
      this.#queuedBytes += bytes - sent;
    }
    return this.#queuedBytes;
  }

  destroy(): void {
    this.#close(undefined);
  }

  #open(socket: Bun.Socket<BunSocket>): void {
    if (this.#closed) {
      socket.terminate();
      return;
    }
    this.#socket = socket;
    this.opened = true;
    this.#flush();
  }

  #flush(): void {
    const socket = this.#socket;
    if (socket === undefined || this.#queue.length === 0) return;
    let next = this.#queue[0];
    while (next !== undefined) {
      const sent = Math.max(socket.write(next), 0);
      this.#queuedBytes -= sent;
      if (sent < next.byteLength) {
        this.#queue[0] = next.subarray(sent);
        return;
      }
      this.#queue.shift();
      next = this.#queue[0];
    }
    this.#handlers.onDrain?.();
  }

  #close(error: Error | undefined): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#queue = [];
    this.#queuedBytes = 0;
    this.#socket?.terminate();
    this.#handlers.onClose(error);
  }
}

type NetSocket = ReturnType<typeof import("node:net").connect>;

class NodeSocket implements Socket {
  readonly #socket: NetSocket;
  #error: Error | undefined;
  /** What must not go out before it is known who listens. */
  #early: (string | Uint8Array)[] = [];
  #earlyBytes = 0;
  opened = false;

  constructor(address: SocketAddress, handlers: SocketHandlers) {
    const name = "path" in address ? undefined : address.tls;
    const isTls = name !== undefined;
    const socket = isTls ? connectTls(address as TcpAddress, name) : builtin("node:net").connect(address);
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on(isTls ? "secureConnect" : "connect", () => {
      this.opened = true;
      const early = this.#early;
      this.#early = [];
      this.#earlyBytes = 0;
      for (const data of early) socket.write(data);
    });
    socket.on("data", (bytes: Buffer) => {
      if (!socket.destroyed) handlers.onData(bytes);
    });
    socket.on("drain", () => handlers.onDrain?.());
    socket.on("end", () => socket.destroy());
    socket.on("error", (error) => {
      this.#error = error;
    });
    socket.on("close", () => handlers.onClose(this.#error));
  }

  get waitingBytes(): number {
    return this.#earlyBytes + this.#socket.writableLength;
  }

  write(data: string | Uint8Array): number {
    if (this.#socket.destroyed) return 0;
    if (this.opened) this.#socket.write(data);
    else {
      this.#early.push(data);
      this.#earlyBytes += typeof data === "string" ? Buffer.byteLength(data) : data.byteLength;
    }
    return this.waitingBytes;
  }

  destroy(): void {
    this.#socket.destroy();
  }
}

function connectTls({ host, port }: TcpAddress, name: string): NetSocket {
  const options = { host, port, ALPNProtocols: ["http/1.1"] };
  // An address is no name to ask for (RFC 6066 3).
  const isName = builtin("node:net").isIP(name) === 0;
  return builtin("node:tls").connect(isName ? { ...options, servername: name } : options);
}
