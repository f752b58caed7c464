/** An HTTP server on the runtime's own: Bun.serve, or Deno.serve. Nothing here knows what is served. */
import { ConfigError, type GatewayError } from "../core/errors.ts";
import type { BunServerSocket, UpgradeOptions } from "./server-socket.ts";

/** The other end of one request. */
export interface Peer {
  /** IP address as the socket has it; never from a header. */
  readonly address: string;
  /** Of the other end; 0 when it is gone. */
  readonly port: number;
  /** Lets this request take longer than {@link idleTimeoutSeconds} without a byte in either direction. */
  keepOpen(): void;
  /** Makes a WebSocket of the connection. Resolves with what to answer; `undefined` when the request is no handshake. */
  upgrade(options: UpgradeOptions): Promise<Response | undefined>;
}

/** Seconds after which Bun cuts a connection on which nothing moves; its maximum. Streams must speak more often. */
export const idleTimeoutSeconds = 255;

export interface ServeOptions {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** How the port can be changed, for the error when it cannot be had; `--port` by default. */
  readonly portSetting?: string;
  /** Must not reject; when it does all the same, the answer is 500 and `onError` hears of it. */
  fetch(request: Request, peer: Peer): Response | Promise<Response>;
  onError(error: unknown): void;
}

export interface HttpServer {
  readonly hostname: string;
  readonly port: number;
  /**
   * Accepts no more connections, gives running requests and streams `graceMs` to end, then cuts what is left; Deno has
   * no way to do both, there it is left to the end of the process. Idempotent.
   */
  stop(graceMs: number): Promise<void>;
}

/** @throws ConfigError when the address cannot be listened on */
export async function serveHttp(options: ServeOptions): Promise<HttpServer> {
  try {
    return "Bun" in globalThis ? serveOnBun(options) : await serveOnDeno(options);
  } catch (error) {
    throw listenError(error, options);
  }
}

function serveOnBun({ host, port, fetch, onError }: ServeOptions): HttpServer {
  const server = Bun.serve({
    hostname: host,
    port,
    idleTimeout: idleTimeoutSeconds,
    // The door has a limit of its own that can change while it is open, and an answer of its own.
    maxRequestBodySize: Number.MAX_SAFE_INTEGER,
    development: false,
    // Bun shares the port with other processes by default when not in development: two gateways, each with half the calls.
    reusePort: false,
    fetch: (request, self) => fetch(request, new BunPeer(request, self)),
    websocket: bunWebSockets,
    error(error) {
      onError(error);
      return new Response(null, { status: 500 });
    },
  });
  let stopping: Promise<void> | undefined;
  return {
    hostname: server.hostname ?? host,
    port: server.port ?? port,
    stop(graceMs) {
      stopping ??= within(graceMs, server.stop(false)).then(() => server.stop(true));
      return stopping;
    },
  };
}

/** Has to be there from the start; what it calls is loaded with the first connection. */
const bunWebSockets: Bun.WebSocketHandler<BunServerSocket> = {
  // A few compressed bytes can become any number (T17).
  perMessageDeflate: false,
  // `longestMessageBytes` of server-socket.ts, which a start does not load.
  maxPayloadLength: 64 * 1024 * 1024,
  // Beyond it messages would be dropped; how much may wait is for the door to say.
  backpressureLimit: 2 ** 31 - 1,
  idleTimeout: 0,
  sendPings: false,
  open: (socket) => socket.data.opened(socket),
  message: (socket, message) => socket.data.handlers.onMessage(typeof message === "string" ? message : undefined),
  pong: (socket) => socket.data.handlers.onPong(),
  close: (socket) => socket.data.handlers.onClose(),
};

class BunPeer implements Peer {
  readonly #request: Request;
  readonly #server: Bun.Server<BunServerSocket>;

  constructor(request: Request, server: Bun.Server<BunServerSocket>) {
    this.#request = request;
    this.#server = server;
  }

  get address(): string {
    return this.#server.requestIP(this.#request)?.address ?? "unknown";
  }

  get port(): number {
    return this.#server.requestIP(this.#request)?.port ?? 0;
  }

  keepOpen(): void {
    this.#server.timeout(this.#request, 0);
  }

  async upgrade({ protocol, headers, handlers }: UpgradeOptions): Promise<Response | undefined> {
    const { BunServerSocket } = await import("./server-socket.ts");
    const ok = this.#server.upgrade(this.#request, {
      data: new BunServerSocket(handlers),
      headers: protocol === undefined ? headers : { ...headers, "sec-websocket-protocol": protocol },
    });
    // Bun has answered already and looks at no other answer.
    return ok ? new Response(null) : undefined;
  }
}

/** What is used of Deno; its own types would collide with Bun's. */
interface DenoServe {
  serve(
    options: {
      hostname: string;
      port: number;
      onListen: () => void;
      onError: (error: unknown) => Response;
    },
    handler: (
      request: Request,
      info: { remoteAddr: { hostname?: string; port?: number } },
    ) => Response | Promise<Response>,
  ): { addr: { hostname: string; port: number }; shutdown(): Promise<void> };
}

async function serveOnDeno({ host, port, fetch, onError }: ServeOptions): Promise<HttpServer> {
  const { Deno } = globalThis as unknown as { Deno: DenoServe };
  const server = Deno.serve(
    {
      hostname: host,
      port,
      onListen: () => {},
      onError(error) {
        onError(error);
        return new Response(null, { status: 500 });
      },
    },
    (request, info) =>
      fetch(request, {
        address: info.remoteAddr.hostname ?? "unknown",
        port: info.remoteAddr.port ?? 0,
        keepOpen() {},
        async upgrade(upgrade) {
          const { upgradeOnDeno } = await import("./server-socket.ts");
          try {
            return upgradeOnDeno(request, upgrade);
          } catch {
            return undefined;
          }
        },
      }),
  );
  let stopping: Promise<void> | undefined;
  return {
    ...server.addr,
    stop(graceMs) {
      stopping ??= within(graceMs, server.shutdown());
      return stopping;
    },
  };
}

/** Resolves when the work is done or the time is over, whichever comes first. */
function within(graceMs: number, work: Promise<unknown>): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, graceMs);
    const done = () => {
      clearTimeout(timer);
      resolve();
    };
    work.then(done, done);
  });
}

/** What to say when an address cannot be listened on. */
export function listenError(
  error: unknown,
  { host, port, portSetting = "--port" }: Pick<ServeOptions, "host" | "port" | "portSetting">,
): GatewayError {
  const where = `${host.includes(":") ? `[${host}]` : host}:${port}`;
  const { code, name } = error as { code?: unknown; name?: unknown };
  const is = (...names: string[]) => names.includes(String(code)) || names.includes(String(name));
  const refuse = (problem: string, hint: string) =>
    new ConfigError(`Cannot listen on ${where}: ${problem}`, { hint, cause: error });
  if (is("EADDRINUSE", "AddrInUse"))
    return refuse(
      "another program listens there",
      `Stop that program, or choose another port with ${portSetting}; 0 picks a free one`,
    );
  if (is("EACCES", "PermissionDenied"))
    return refuse(
      "this user may not",
      `Choose a port from 1024 on with ${portSetting}, or grant the right to bind low ports`,
    );
  if (is("EADDRNOTAVAIL", "AddrNotAvailable"))
    return refuse(
      "this machine has no such address",
      "Set server.host to 127.0.0.1, 0.0.0.0 or an address of this machine",
    );
  return refuse(
    error instanceof Error ? error.message : String(error),
    'Check "host" and "port" in the server section, or --host and --port',
  );
}
