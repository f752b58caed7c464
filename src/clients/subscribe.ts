/** Watching resources, on `/mcp` and on `/mcp/{backend}`: for sessions, and for a listening of 2026-07-28. */
import { errorCodes } from "../core/error-codes.ts";
import { CancelledError, GatewayError } from "../core/errors.ts";
import { serverOf } from "./endpoint-server.ts";
import { askOwners, notFoundCodes, ownFile, resourceOwners } from "./read-resource.ts";
import type { RequestScope } from "./request-scope.ts";
import type { Session } from "./session.ts";
import { gatewayItself, type Watched, type Watcher } from "./subscriptions.ts";

/** `resources/subscribe` */
export async function subscribe(request: RequestScope): Promise<string> {
  const { sessions } = request.host;
  const session = sessionOf(request);
  const text = await watch(request, session, uriOf(request), () => !sessions.has(session.id, session.principal));
  sessions.save(session);
  return text;
}

/** `resources/unsubscribe`. Ending what was never begun is fine: the client has what it wants. */
export async function unsubscribe(request: RequestScope): Promise<string> {
  const { subscriptions, sessions } = request.host;
  const session = sessionOf(request);
  const watched = subscriptions.find(session, uriOf(request));
  if (watched === undefined) return "{}";
  const isLast = subscriptions.remove(session, watched);
  sessions.save(session);
  const { server, uri } = watched;
  if (!isLast || server === gatewayItself) return "{}";
  return (await request.call(server, "resources/unsubscribe", request.relayParams({ uri }), true)).text;
}

/**
 * On `/mcp`: at the backend that has the resource and can watch it.
 * @param isOver whether the watcher was lost while the backend was asked
 */
export async function watch(
  request: RequestScope,
  watcher: Watcher,
  shownAs: string,
  isOver: () => boolean,
): Promise<string> {
  if (request.context.backend !== undefined)
    return watchAt(request, watcher, { server: serverOf(request), uri: shownAs }, shownAs, isOver);
  if ((await ownFile(request, shownAs)) !== undefined) {
    request.host.subscriptions.add(watcher, { server: gatewayItself, uri: shownAs }, shownAs);
    return "{}";
  }
  const { uri, servers } = await resourceOwners(request, shownAs);
  const notHere = [...notFoundCodes, errorCodes.METHOD_NOT_FOUND.rpc];
  return askOwners(servers, notHere, (server) => watchAt(request, watcher, { server, uri }, shownAs, isOver));
}

async function watchAt(
  request: RequestScope,
  watcher: Watcher,
  watched: Watched,
  shownAs: string,
  isOver: () => boolean,
): Promise<string> {
  const { subscriptions } = request.host;
  let text = "{}";
  if (!subscriptions.has(watched)) {
    const params = request.relayParams({ uri: watched.uri });
    text = (await request.call(watched.server, "resources/subscribe", params, true)).text;
  }
  if (isOver()) throw new CancelledError("The client is gone");
  subscriptions.add(watcher, watched, shownAs);
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
