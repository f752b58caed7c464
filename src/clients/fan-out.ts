/** Tells the sessions concerned what happened at a backend; never the others. */
import type { JsonObject } from "../lib/json.ts";
import { encodeRequest } from "../mcp/json-rpc.ts";
import { elicitationEnd, type ListKind, listKinds, resourceUpdated } from "../mcp/protocol.ts";
import type { FaceHost } from "./host.ts";

export function announceListChange(host: FaceHost, server: string, kind: ListKind): void {
  const messageText = encodeRequest(undefined, listKinds[kind].changed, undefined);
  for (const session of host.sessions.all()) {
    const concerned =
      session.backend === undefined
        ? kind !== "tools" || showsTools(host, server)
        : host.resolveServer(session.backend) === server;
    if (concerned) session.push(messageText);
  }
}

/** `notifications/resources/updated`: for those who watch the resource, under the URI each knows it by. */
export function announceUpdate(host: FaceHost, server: string, params: JsonObject): void {
  const { uri } = params;
  if (typeof uri !== "string") return;
  for (const [session, shownAs] of host.subscriptions.watchersOf({ server, uri }))
    session.push(encodeRequest(undefined, resourceUpdated, { ...params, uri: shownAs }));
}

/** `notifications/elicitation/complete`: only for the client that was shown the address. */
export function announceElicitationEnd(host: FaceHost, server: string, params: JsonObject): void {
  const key = `${server}\0${params["elicitationId"]}`;
  for (const session of host.sessions.all())
    if (session.elicitations.delete(key)) session.push(encodeRequest(undefined, elicitationEnd, params));
}

/** With meta-tools, `tools/list` shows a backend's own tools only where they are surfaced. */
function showsTools(host: FaceHost, server: string): boolean {
  return !host.meta.enabled || host.meta.surfaced_tools.some((pinned) => host.resolveServer(pinned.server) === server);
}
