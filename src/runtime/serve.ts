/** An HTTP server on the runtime's own: Bun.serve, or Deno.serve. Nothing here knows what is served. */
import { ConfigError, type GatewayError } from "../core/errors.ts";

/** The other end of one request. */
export interface Peer {
  /** IP address as the socket has it; never from a header. */
  readonly address: string;
  /** Lets this request take longer than {@link idleTimeoutSeconds} without a byte in either direction. */
  keepOpen(): void;
}

/** Seconds after which Bun cuts a connection on which nothing moves; its maximum. Streams must speak more often. */
export const idleTimeoutSeconds = 255;

export interface ServeOptions {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
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

class BunPeer implements Peer {
  readonly #request: Request;
  readonly #server: Bun.Server<undefined>;

  constructor(request: Request, server: Bun.Server<undefined>) {
    this.#request = request;
    this.#server = server;
  }

  get address(): string {
    return this.#server.requestIP(this.#request)?.address ?? "unknown";
  }

  keepOpen(): void {
    this.#server.timeout(this.#request, 0);
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
    handler: (request: Request, info: { remoteAddr: { hostname?: string } }) => Response | Promise<Response>,
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
    (request, info) => fetch(request, { address: info.remoteAddr.hostname ?? "unknown", keepOpen: () => {} }),
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

function listenError(error: unknown, { host, port }: ServeOptions): GatewayError {
  const where = `${host.includes(":") ? `[${host}]` : host}:${port}`;
  const { code, name } = error as { code?: unknown; name?: unknown };
  const is = (...names: string[]) => names.includes(String(code)) || names.includes(String(name));
  const refuse = (problem: string, hint: string) =>
    new ConfigError(`Cannot listen on ${where}: ${problem}`, { hint, cause: error });
  if (is("EADDRINUSE", "AddrInUse"))
    return refuse(
      "another program listens there",
      "Stop that program, or choose another port with --port; 0 picks a free one",
    );
  if (is("EACCES", "PermissionDenied"))
    return refuse("this user may not", "Choose a port from 1024 on with --port, or grant the right to bind low ports");
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
