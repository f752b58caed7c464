/** `resources/subscribe` and `resources/unsubscribe`, on `/mcp` and on `/mcp/{backend}`. */
import { errorCodes } from "../core/error-codes.ts";
import { CancelledError, GatewayError } from "../core/errors.ts";
import { askOwners, notFoundCodes, resourceOwners } from "./read-resource.ts";
import type { RequestScope } from "./request-scope.ts";
import type { Session } from "./session.ts";
import type { Watched } from "./subscriptions.ts";

/** On `/mcp`: at the backend that has the resource and can watch it. */
export async function subscribeAnywhere(request: RequestScope): Promise<string> {
  const shownAs = uriOf(request);
  const { uri, servers } = await resourceOwners(request, shownAs);
  const notHere = [...notFoundCodes, errorCodes.METHOD_NOT_FOUND.rpc];
  return askOwners(servers, notHere, (server) => subscribeTo(request, { server, uri }, shownAs));
}

export function subscribe(request: RequestScope, server: string): Promise<string> {
  const uri = uriOf(request);
  return subscribeTo(request, { server, uri }, uri);
}

/** Ending what was never begun is fine: the client has what it wants. */
export async function unsubscribe(request: RequestScope): Promise<string> {
  const { subscriptions, sessions } = request.host;
  const session = sessionOf(request);
  const watched = subscriptions.find(session, uriOf(request));
  if (watched === undefined) return "{}";
  const isLast = subscriptions.remove(session, watched);
  sessions.save(session);
  if (!isLast) return "{}";
  const { server, uri } = watched;
  return (await request.call(server, "resources/unsubscribe", request.relayParams({ uri }), true)).text;
}

async function subscribeTo(request: RequestScope, watched: Watched, shownAs: string): Promise<string> {
  const { subscriptions, sessions } = request.host;
  const session = sessionOf(request);
  let text = "{}";
  if (!subscriptions.has(watched)) {
    const params = request.relayParams({ uri: watched.uri });
    text = (await request.call(watched.server, "resources/subscribe", params, true)).text;
  }
  if (!sessions.has(session.id, session.principal)) throw new CancelledError("The session ended");
  subscriptions.add(session, watched, shownAs);
  sessions.save(session);
  return text;
}

function sessionOf({ context }: RequestScope): Session {
  if (context.session !== undefined) return context.session;
  throw new GatewayError("INVALID_REQUEST", "A subscription needs a session");
}

function uriOf({ params, message }: RequestScope): string {
  const { uri } = params;
  if (typeof uri === "string") return uri;
  throw new GatewayError("INVALID_PARAMS", `"${message.method}" needs "uri", a string`);
}
