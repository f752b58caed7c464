/**
 * The management API: `/ui/api/*` for the dashboard and for programs, `/api/v1/*` for monitoring. Loaded with its first
 * request. What it shows and does is for those who have a role, but for a few numbers; a caller who came without a token
 * gets nothing.
 */
import type { Caller } from "../../../core/caller.ts";
import { DeniedError, GatewayError } from "../../../core/errors.ts";
import { hasRole, overseesAll, type Role } from "../../../core/role.ts";
import { actorOf } from "../../../core/security-event.ts";
import type { Gateway } from "../../../gateway/gateway.ts";
import type { Clock } from "../../../lib/clock.ts";
import { isJsonObject, type JsonObject } from "../../../lib/json.ts";
import { RoutingProfiles } from "../../../meta/routing/routing-profiles.ts";
import { decodeBody, parseJson } from "../../parse-json.ts";
import { publicCaller } from "../key-table.ts";
import { readBody } from "../read-body.ts";
import { Refusal, sendJson } from "../respond.ts";
import type { Visit } from "../visit.ts";
import { backendRoutes } from "./backend-routes.ts";
import { callRoutes } from "./call-routes.ts";
import { configRoutes } from "./config-routes.ts";
import { connectionRoutes } from "./connection-routes.ts";
import { controlPlaneRoutes } from "./control-plane-routes.ts";
import { fileRoutes } from "./file-routes.ts";
import { importRoutes } from "./import-routes.ts";
import type { ManagementRoute } from "./route.ts";
import { safetyRoutes } from "./safety-routes.ts";
import { statisticsRoutes } from "./statistics-routes.ts";
import { statusRoutes } from "./status-routes.ts";
import { toolRoutes } from "./tool-routes.ts";

const routes: readonly ManagementRoute[] = [
  ...statusRoutes,
  ...backendRoutes,
  ...toolRoutes,
  ...safetyRoutes,
  ...controlPlaneRoutes,
  ...callRoutes,
  ...statisticsRoutes,
  ...configRoutes,
  ...fileRoutes,
  ...importRoutes,
  ...connectionRoutes,
];

/** @throws GatewayError, as a rejection */
export async function manage(gateway: Gateway, clock: Clock, visit: Visit): Promise<Response> {
  guard(visit);
  const { method } = visit.request;
  const wanted = method === "HEAD" ? "GET" : method;
  const found = routes.flatMap((route) => {
    const names = namesIn(route.path, visit.path);
    return names === undefined ? [] : [{ route, names }];
  });
  if (found.length === 0) throw new Refusal(404, `The management API has no "${visit.path.slice(0, 200)}"`);
  const match = found.find(({ route }) => route.method === wanted);
  if (match === undefined) {
    const allow = found.map(({ route }) => route.method).join(", ");
    throw new Refusal(405, `"${method.slice(0, 20)}" is not allowed here`, { headers: { allow } });
  }
  const { route, names } = match;
  const caller = gateway.views.narrow(inProfile(visit.caller, gateway));
  const refusal = whyRefused(route, caller);
  if (refusal !== undefined) {
    const detail = `${route.method} ${route.path}: ${refusal.message}`;
    const { requestId, peer } = visit;
    const { code } = refusal;
    const event = { by: actorOf(caller), requestId, address: peer.address, code, detail, failed: true };
    gateway.controlPlane.note({ action: "operation-denied", ...event });
    throw refusal;
  }
  const query = new URL(visit.request.url, "http://gateway").searchParams;
  const body = wanted === "GET" ? {} : await bodyOf(visit, gateway.config.server.max_body_size);
  const outcome = await route.run({ gateway, clock, visit: { ...visit, caller }, names, query, body });
  return outcome instanceof Response ? outcome : sendJson(visit, 200, JSON.stringify(outcome));
}

/**
 * A page of another site may use MCP where `server.allowed_origins` says so, never this. Who is anonymous because
 * authentication is off is asked by browsers too: a page that is not ours shows in `Sec-Fetch-Site` (T6).
 */
function guard({ caller, crossOrigin, request }: Visit): void {
  if (caller.principal === publicCaller.principal)
    throw new GatewayError("UNAUTHENTICATED", "Missing Authorization header. Use: Authorization: Bearer <token>");
  const site = request.headers.get("sec-fetch-site");
  const isForeign = site === "cross-site" || site === "same-site";
  if (crossOrigin !== undefined || isForeign)
    throw new DeniedError("FORBIDDEN", "The management API is for the gateway's own pages and for programs");
}

/** Who is bound to a routing profile sees no more here than in a session. */
function inProfile(caller: Caller, { config }: Gateway): Caller {
  if (caller.admin || caller.boundProfile === undefined) return caller;
  return new RoutingProfiles(config.routing_profiles, config.default_routing_profile).narrow(caller, undefined);
}

function whyRefused({ who, isWhole }: ManagementRoute, caller: Caller): DeniedError | undefined {
  if (who === "caller") return undefined;
  if (!hasRole(caller, who)) return new DeniedError("FORBIDDEN", `This needs ${needs[who]}`, { hint: hints[who] });
  if (isWhole !== true || overseesAll(caller)) return undefined;
  return new DeniedError("FORBIDDEN", "This is about all backends and tools, and the caller may use only some", {
    hint: "It is for admins, and for roles of callers without such limits",
  });
}

const needs: Readonly<Record<Role, string>> = {
  viewer: "a role or admin rights",
  operator: 'the role "operator" or admin rights',
  admin: "admin rights",
};
const anAdmin = "Use the bearer token, or an API key with admin: true";
const aRole = `${anAdmin}; control_plane.role_mapping gives roles to tokens of issuers`;
const hints: Readonly<Record<Role, string>> = { viewer: aRole, operator: aRole, admin: anAdmin };

function namesIn(pattern: string, path: string): Record<string, string> | undefined {
  const [wanted, given] = [pattern.split("/"), path.split("/")];
  if (wanted.length !== given.length) return undefined;
  const names: Record<string, string> = {};
  for (const [at, segment] of wanted.entries()) {
    const value = given[at] as string;
    if (!segment.startsWith(":")) {
      if (segment !== value) return undefined;
    } else if (value === "") return undefined;
    else names[segment.slice(1)] = decoded(value);
  }
  return names;
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

/** A form of another site cannot send this type, and a script of it must ask first. */
async function bodyOf({ request }: Visit, maxBytes: number): Promise<JsonObject> {
  const text = decodeBody(await readBody(request, maxBytes));
  const type = request.headers.get("content-type")?.split(";", 1)[0]?.trim().toLowerCase();
  if (type !== "application/json" && (text !== "" || request.method === "POST"))
    throw new Refusal(415, 'The request needs "Content-Type: application/json"');
  if (text === "") return {};
  const body = parseJson(text);
  if (isJsonObject(body)) return body;
  throw new GatewayError("INVALID_REQUEST", "The body must be a JSON object");
}
