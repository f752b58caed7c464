/** What the HTTP door answers: the checks every request passes, then the table of routes. The only file that knows Hono. */
import { HonoBase } from "hono/hono-base";
import { GatewayError } from "../../core/errors.ts";
import type { Gateway } from "../../gateway/gateway.ts";
import type { Clock } from "../../lib/clock.ts";
import { encodeError } from "../../mcp/json-rpc.ts";
import type { Peer } from "../../runtime/serve.ts";
import { logDefect } from "../log-defect.ts";
import { requestIdFrom } from "../request-id.ts";
import { Authenticator } from "./authenticate.ts";
import { createOriginGuard } from "./guard-origin.ts";
import { health, liveness, readiness } from "./health.ts";
import { createMcpEndpoint, notAllowed } from "./mcp-endpoint.ts";
import { PathRouter } from "./path-router.ts";
import { isPreflight, preflight } from "./preflight.ts";
import { Refusal, refuse, sendJson } from "./respond.ts";
import { dashboardFile, toDashboard } from "./ui.ts";
import type { Asker, Visit } from "./visit.ts";

export interface HttpApp {
  fetch(request: Request, peer: Peer): Response | Promise<Response>;
  /** Ends the streams that would otherwise stay open for ever. */
  endStreams(): void;
}

type Handler = (visit: Visit, backend: string | undefined) => Response | Promise<Response>;
type Methods = Readonly<Partial<Record<"GET" | "HEAD" | "POST" | "DELETE", Handler>>>;

/** What an address leads to. */
interface Route {
  readonly path: string;
  readonly methods: Methods;
  readonly backend: string | undefined;
}

/** Clients call few addresses; whoever tries many is not to fill the memory. */
const maxKnownAddresses = 1_000;

/** @param listenHost the address the server is bound to; everything else is read from `gateway.config` per request */
export function createHttpApp(gateway: Gateway, listenHost: string, clock: Clock): HttpApp {
  const endpoint = createMcpEndpoint(gateway, clock);
  const authenticator = new Authenticator(clock, gateway.sessions);
  const guardOrigin = createOriginGuard(listenHost);

  const mcp: Methods = { POST: endpoint.post, GET: endpoint.get, DELETE: endpoint.delete };
  const page = (handler: Handler): Methods => ({ GET: handler, HEAD: handler });
  const routes: Readonly<Record<string, Methods>> = {
    "/mcp": mcp,
    // Some hosts add a slash to every address.
    "/mcp/": mcp,
    "/mcp/:backend/*": mcp,
    "/health": page((visit) => health(gateway, visit)),
    "/readiness": page((visit) => readiness(gateway, visit)),
    "/liveness": page(liveness),
    "/": page(toDashboard),
    "/ui": page(toDashboard),
    "/ui/*": page(dashboardFile),
    "/sse": { GET: gone, POST: gone },
  };

  const router = new HonoBase<{ Bindings: Visit }>({
    router: new PathRouter(),
    getPath: (_request, options) => (options as { env: Visit }).env.path,
  });
  /**
   * Where Hono sent POSTs to an address before. Asking it again, and having it follow the answer, would take half of the
   * time before the body is read.
   */
  const known = new Map<string, Route>();
  for (const [path, methods] of Object.entries(routes))
    router.all(path, ({ env, req }) => {
      const route = { path: env.path, methods, backend: req.param("backend") };
      const { method, url } = env.request;
      if (method === "POST" && known.size < maxKnownAddresses) known.set(url, route);
      return follow(route, env);
    });
  router.notFound(({ env }) =>
    refuse(
      env,
      new Refusal(404, `There is no route "${env.path.slice(0, 200)}"`, {
        hint: `Routes: ${Object.keys(routes).join(", ")}`,
      }),
    ),
  );
  router.onError((error, { env }) => failed(env, error));

  function follow({ methods, backend }: Route, visit: Visit): Response | Promise<Response> {
    const { method } = visit.request;
    const handler = Object.hasOwn(methods, method) ? methods[method as keyof Methods] : undefined;
    if (handler === undefined) throw notAllowed(method, Object.keys(methods).join(", "));
    return handler(visit, backend);
  }

  function failed(asker: Asker, error: unknown): Response {
    logDefect(gateway.log, asker.requestId, error);
    return refuse(asker, error);
  }

  return {
    fetch(request, peer) {
      const { headers } = request;
      const { server, auth } = gateway.config;
      const requestId = requestIdFrom(headers.get("x-request-id"));
      let crossOrigin: string | undefined;
      try {
        crossOrigin = guardOrigin(headers, server);
        if (crossOrigin !== undefined && isPreflight(request)) return preflight({ requestId, crossOrigin });
        const route = request.method === "POST" ? known.get(request.url) : undefined;
        const path = route?.path ?? pathOf(request.url);
        const caller = authenticator.identify(headers, path, peer, auth);
        const visit: Visit = { request, peer, requestId, path, caller, crossOrigin };
        if (route === undefined) return router.fetch(request, visit);
        const response = follow(route, visit);
        return response instanceof Promise ? response.catch((error) => failed(visit, error)) : response;
      } catch (error) {
        if (error instanceof GatewayError && error.code === "UNAUTHENTICATED")
          gateway.log.warn("Authentication failed", { request_id: requestId, address: peer.address });
        return failed({ requestId, crossOrigin }, error);
      }
    },
    endStreams: endpoint.endStreams,
  };
}

/** The old transport's address, where old client configurations still point. */
function gone(visit: Visit): Response {
  const error = {
    code: -32_600,
    message: "The HTTP+SSE transport is not served; use Streamable HTTP at /mcp",
    data: {
      migration: 'Change the client\'s address from "/sse" to "/mcp" and its transport from "sse" to "http"',
      spec: "https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#streamable-http",
    },
  };
  return sendJson(visit, 410, encodeError(null, error));
}

/** Not `new URL`: it costs more than routing, and would decode dots that no route has. */
function pathOf(url: string): string {
  // The authority was checked to be a plain host; runtimes write "http://host" before the path, or nothing.
  const start = url.startsWith("/") ? 0 : url.indexOf("/", url.indexOf("://") + 3);
  const query = url.indexOf("?", start);
  const hash = url.indexOf("#", start);
  const end = Math.min(query < 0 ? url.length : query, hash < 0 ? url.length : hash);
  return url.slice(start, end);
}
