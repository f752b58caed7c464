/** What the HTTP door answers: the checks every request passes, then the table of routes. */
import type { Caller } from "../../core/caller.ts";
import { GatewayError } from "../../core/errors.ts";
import type { Gateway } from "../../gateway/gateway.ts";
import type { Clock } from "../../lib/clock.ts";
import { callerWithLabel } from "../agent-identity/agent-label.ts";
import type { KeyServer } from "../key-server/key-server.ts";
import { logDefect } from "../log-defect.ts";
import { requestIdFrom } from "../request-id.ts";
import type { TokenVerifier } from "../tokens/token-verifier.ts";
import type { TunnelEnd } from "../tunnel/tunnel-end.ts";
import { pathOf, streamIdOf } from "./address.ts";
import { Authenticator, type Entrant } from "./authenticate.ts";
import { FailedAttempts } from "./failed-attempts.ts";
import { createOriginGuard } from "./guard-origin.ts";
import { health, liveness, readiness } from "./health.ts";
import { publicCaller } from "./key-table.ts";
import { createManagement } from "./management.ts";
import { createMcpEndpoint, notAllowed } from "./mcp-endpoint.ts";
import { PathRouter } from "./path-router.ts";
import { isPreflight, preflight } from "./preflight.ts";
import type { Arrival } from "./receive-webhook.ts";
import { Refusal, refuse, sendJson } from "./respond.ts";
import type { SseDoor } from "./sse-door.ts";
import { dashboardFile, toDashboard } from "./ui.ts";
import type { Asker, Guest, Visit } from "./visit.ts";
import type { WebSocketDoor } from "./web-socket-door.ts";
import { webhookPathOf } from "./webhook-paths.ts";

export interface HttpApp {
  fetch(request: Request, peer: Guest): Response | Promise<Response>;
  /** For a port of WebSocket clients alone; `/` is `/mcp` there. */
  fetchSocket(request: Request, peer: Guest): Response | Promise<Response>;
  /** Lets in what comes by the name of the tunnel, until it is closed: `undefined`. */
  setTunnel(end: TunnelEnd | undefined): void;
  /** Ends the streams and connections that would otherwise stay open for ever. */
  endStreams(): void;
}

type Handler = (visit: Visit, backend: string | undefined) => Response | Promise<Response>;
type Methods = Readonly<Partial<Record<"GET" | "HEAD" | "POST" | "PATCH" | "DELETE", Handler>>>;

/** What an address leads to. */
interface Route {
  readonly path: string;
  readonly methods: Methods;
  readonly backend: string | undefined;
}

/** Of somebody who could not show who they are, or not somebody with any rights. */
const entryRefusals: ReadonlySet<string> = new Set(["UNAUTHENTICATED", "TOO_MANY_ATTEMPTS", "FORBIDDEN"]);
/** Of RFC 9728. */
const metadataPath = "/.well-known/oauth-protected-resource";
/** Of the key server: who comes there shows what nobody else takes. */
const keyServerPath = /^\/auth\/(?:token(?:\/|$)|tokens$)/;
/** Where clients of HTTP+SSE send to. */
const messagesPath = "/messages";
/** Where MCP clients come to with messages, and below. */
const mcpPaths = ["/mcp", "/sse", messagesPath];
/** Clients call few addresses; whoever tries many is not to fill the memory. */
const maxKnownAddresses = 1_000;

/** @param listenHost the address the server is bound to; everything else is read from `gateway.config` per request */
export function createHttpApp(gateway: Gateway, listenHost: string, clock: Clock): HttpApp {
  const endpoint = createMcpEndpoint(gateway, clock);
  const failures = new FailedAttempts(clock);
  const authenticator = new Authenticator({
    clock,
    failures,
    sessions: { has: (id, principal) => gateway.sessions.has(id, principal) || sse?.has(id, principal) === true },
    loadVerifier,
    // Before the first exchange there is no token that it could know.
    findIssued: (digest, rules) => keyServer?.find(digest, rules),
    sharedLimits: () => gateway.sharedLimits,
  });
  let tunnel: TunnelEnd | undefined;
  const guardOrigin = createOriginGuard(listenHost, () => tunnel?.host);
  // Most gateways have no client that needs any of these.
  let sse: SseDoor | undefined;
  let webSockets: WebSocketDoor | undefined;
  let verifier: TokenVerifier | undefined;
  let keyServer: KeyServer | undefined;
  let grantedCaller: ((caller: Caller) => Caller) | undefined;

  async function loadVerifier(): Promise<TokenVerifier> {
    const { TokenVerifier } = await import("../tokens/token-verifier.ts");
    const toolOf = (server: string, tool: string) => gateway.catalog.tool(server, tool);
    verifier ??= new TokenVerifier({ clock, log: gateway.log, calendar: Date.now, toolOf });
    return verifier;
  }

  async function keys(): Promise<KeyServer> {
    const { createKeyServer } = await import("../key-server/key-server.ts");
    keyServer ??= createKeyServer({ gateway, clock, calendar: Date.now, failures, loadVerifier });
    return keyServer;
  }

  /** As far as he was granted anything, where that is asked for. @throws as {@link Authenticator.identify} */
  function identified(
    headers: Headers,
    path: string,
    peer: Entrant,
    sessionId?: string | null,
  ): Caller | Promise<Caller> {
    const caller = authenticator.identify(headers, path, peer, gateway.config, sessionId);
    return gateway.config.grants === undefined ? caller : granted(caller);
  }

  async function granted(caller: Caller | Promise<Caller>): Promise<Caller> {
    const { createGrantedCallers } = await import("../identity-grants/granted-caller.ts");
    grantedCaller ??= createGrantedCallers(gateway);
    return grantedCaller(await caller);
  }

  /** What is asked of MCP clients once it is known who they are. @throws DeniedError FORBIDDEN, CLIENT_CIRCUIT_OPEN */
  function screened(caller: Caller, path: string, headers: Headers, url: string): Caller {
    if (!mcpPaths.some((top) => path === top || path.startsWith(`${top}/`))) return caller;
    gateway.clientCircuits.assertClosed(caller);
    // A stream says which agent it is of when it is opened.
    if (path === messagesPath) return caller;
    return callerWithLabel(caller, headers, url, gateway.config.security.agent_identity);
  }

  async function sseDoor(): Promise<SseDoor> {
    const { createSseDoor } = await import("./sse-door.ts");
    sse ??= createSseDoor(gateway, endpoint.pace);
    return sse;
  }

  async function openSocket(visit: Visit, backend: string | undefined): Promise<Response> {
    const { createWebSocketDoor } = await import("./web-socket-door.ts");
    webSockets ??= createWebSocketDoor({
      gateway,
      pace: endpoint.pace,
      identify(headers, path, guest) {
        const caller = identified(headers, path, guest);
        const screen = (identified: Caller) => screened(identified, path, headers, path);
        return caller instanceof Promise ? caller.then(screen) : screen(caller);
      },
    });
    return webSockets.open(visit, backend);
  }

  async function deliver(visit: Arrival, webhookPath: string): Promise<Response> {
    const { receiveWebhook } = await import("./receive-webhook.ts");
    return receiveWebhook(gateway, visit, webhookPath);
  }

  async function metadata(visit: Visit): Promise<Response> {
    const { resourceMetadata } = await import("../tokens/protected-resource.ts");
    return resourceMetadata(gateway.config, visit);
  }

  async function publicKeys(visit: Visit): Promise<Response> {
    // Servers that keep it ask again for a key they do not know.
    return sendJson(visit, 200, JSON.stringify(await gateway.publicKeys()), { "cache-control": "public, max-age=300" });
  }

  const mcp: Methods = {
    POST: endpoint.post,
    GET: (visit, backend) => (isHandshake(visit.request) ? openSocket(visit, backend) : endpoint.get(visit, backend)),
    DELETE: endpoint.delete,
  };
  const events: Methods = { GET: async (visit, backend) => (await sseDoor()).get(visit, backend) };
  const page = (handler: Handler): Methods => ({ GET: handler, HEAD: handler });
  // What operators use comes with the first of them.
  const management = createManagement(gateway, clock);
  const managed: Methods = {
    ...page(management.api),
    POST: management.api,
    PATCH: management.api,
    DELETE: management.api,
  };
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
    "/ui/api/*": managed,
    "/ui/*": page(dashboardFile),
    "/api/v1/*": managed,
    "/dashboard": page(management.operatorPage),
    "/metrics": page(management.metrics),
    [metadataPath]: page(metadata),
    [`${metadataPath}/mcp`]: page(metadata),
    "/.well-known/jwks.json": page(publicKeys),
    "/auth/token": { POST: async (visit) => (await keys()).exchange(visit) },
    "/auth/token/:jti": { DELETE: async (visit) => (await keys()).revoke(visit) },
    "/auth/tokens": { DELETE: async (visit) => (await keys()).revokeSubject(visit) },
    "/sse": events,
    "/sse/:backend": events,
    [messagesPath]: { POST: async (visit) => (await sseDoor()).post(visit) },
  };

  const router = new PathRouter<Methods>();
  for (const [path, methods] of Object.entries(routes)) router.add(path, methods);
  /** Where POSTs to an address went before: taking the address apart would take half of the time before the body is read. */
  const known = new Map<string, Route>();

  /** @throws Refusal 404 */
  function routeOf({ method, url }: Request, path: string): Route {
    const found = router.find(path);
    if (found === undefined)
      throw new Refusal(404, `There is no route "${path.slice(0, 200)}"`, {
        hint: `Routes: ${Object.keys(routes).join(", ")}`,
      });
    const route = { path, methods: found.target, backend: found.params["backend"] };
    // Of an address with a query there are as many as there are clients.
    if (method === "POST" && known.size < maxKnownAddresses && !url.includes("?")) known.set(url, route);
    return route;
  }

  function follow({ methods, backend }: Route, visit: Visit): Response | Promise<Response> {
    const { method } = visit.request;
    const handler = Object.hasOwn(methods, method) ? methods[method as keyof Methods] : undefined;
    if (handler === undefined) throw notAllowed(method, Object.keys(methods).join(", "));
    return method === "HEAD" ? withoutBody(handler(visit, backend)) : handler(visit, backend);
  }

  function failed(asker: Asker, error: unknown): Response {
    logDefect(gateway.log, asker.requestId, error);
    return refuse(asker, error);
  }

  function admit(request: Request, other: Guest, onlySockets: boolean): Response | Promise<Response> {
    const { headers } = request;
    const peer = tunnel === undefined ? other : tunnel.guestOf(headers, other);
    const { server, webhooks } = gateway.config;
    const requestId = requestIdFrom(headers.get("x-request-id"));
    let crossOrigin: string | undefined;
    try {
      crossOrigin = guardOrigin(headers, server);
      if (crossOrigin !== undefined && isPreflight(request)) return preflight({ requestId, crossOrigin });
      const route = request.method === "POST" ? known.get(request.url) : undefined;
      let path = route?.path ?? pathOf(request.url);
      if (onlySockets) path = socketPathOf(request, path);
      const arrival: Arrival = { request, peer, requestId, path, crossOrigin };
      const webhookPath = route === undefined ? webhookPathOf(webhooks, path) : undefined;
      if (webhookPath !== undefined) return deliver(arrival, webhookPath);
      const sessionId = path === messagesPath ? streamIdOf(request.url) : undefined;
      if (gateway.config.key_server?.enabled === true && keyServerPath.test(path))
        return enter(arrival, route, publicCaller);
      const caller = identified(headers, path, peer, sessionId);
      return caller instanceof Promise ? enterLater(arrival, route, caller) : enter(arrival, route, caller);
    } catch (error) {
      return refuseEntry({ requestId, crossOrigin }, headers, peer, error);
    }
  }

  /** Functions of their own: as closures they would be made for every request. */
  function enterLater(arrival: Arrival, route: Route | undefined, caller: Promise<Caller>): Promise<Response> {
    const { request, peer } = arrival;
    return caller
      .then((identified) => enter(arrival, route, identified))
      .catch((error) => refuseEntry(arrival, request.headers, peer, error));
  }

  function enter(arrival: Arrival, route: Route | undefined, identified: Caller): Response | Promise<Response> {
    const { request, peer, requestId, path, crossOrigin } = arrival;
    const caller = screened(identified, path, request.headers, request.url);
    const visit: Visit = { request, peer, requestId, path, caller, crossOrigin };
    try {
      const response = follow(route ?? routeOf(request, path), visit);
      return response instanceof Promise ? response.catch((error) => failed(visit, error)) : response;
    } catch (error) {
      return failed(visit, error);
    }
  }

  /** Answers who was not let in. */
  function refuseEntry(asker: Asker, headers: Headers, peer: Guest, error: unknown): Response | Promise<Response> {
    if (error instanceof GatewayError && error.code === "UNAUTHENTICATED")
      gateway.log.warn("Authentication failed", { request_id: asker.requestId, address: peer.address });
    if (error instanceof GatewayError && entryRefusals.has(error.code)) {
      const { code, message: detail } = error;
      const event = { requestId: asker.requestId, address: peer.address, code, detail, failed: true };
      gateway.controlPlane.note({ action: "authentication-failed", ...event });
    }
    const response = failed(asker, error);
    const { auth, key_server, agent_auth } = gateway.config;
    const takesKeysOnly = auth.issuers.length === 0 && auth.users.length === 0 && !key_server && !agent_auth;
    return takesKeysOnly ? response : withChallenge(response, headers, error);
  }

  /** Says where and how to log in. */
  async function withChallenge(response: Response, headers: Headers, error: unknown): Promise<Response> {
    const { challengeOf } = await import("../tokens/protected-resource.ts");
    const challenge = challengeOf(error, gateway.config, headers);
    if (challenge !== undefined) response.headers.set("www-authenticate", challenge);
    return response;
  }

  return {
    fetch: (request, peer) => admit(request, peer, false),
    fetchSocket: (request, peer) => admit(request, peer, true),
    setTunnel(end) {
      tunnel = end;
    },
    endStreams() {
      endpoint.endStreams();
      sse?.endAll();
      webSockets?.endAll();
      management.endStreams();
      keyServer?.end();
    },
  };
}

async function withoutBody(response: Response | Promise<Response>): Promise<Response> {
  return new Response(null, await response);
}

/** On a port of WebSocket clients alone. @throws Refusal 426 */
function socketPathOf(request: Request, path: string): string {
  if (request.method === "GET" && isHandshake(request)) {
    if (path === "/") return "/mcp";
    if (path === "/mcp" || path.startsWith("/mcp/")) return path;
  }
  throw new Refusal(426, "This port is for WebSocket clients of /mcp and /mcp/{backend}", {
    headers: { upgrade: "websocket", connection: "upgrade" },
    hint: "Everything else is at server.port",
  });
}

function isHandshake({ headers }: Request): boolean {
  return headers.get("upgrade")?.toLowerCase() === "websocket";
}
