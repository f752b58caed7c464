/** Tells the clients concerned what happened at a backend; never the others. */
import { type Audience, hiddenBy } from "../core/audience.ts";
import { anonymousCaller, type Caller } from "../core/caller.ts";
import { mayUseServer, mayUseTool } from "../core/scope.ts";
import type { JsonObject } from "../lib/json.ts";
import { encodeRequest } from "../mcp/json-rpc.ts";
import { logSeverity } from "../mcp/log-levels.ts";
import { elicitationEnd, type ListKind, listKinds, resourceUpdated } from "../mcp/protocol.ts";
import type { FaceHost } from "./host.ts";
import { narrowedCaller } from "./narrowed-caller.ts";
import { pinnedTools } from "./pinned-tools.ts";
import type { Session } from "./session.ts";
import { gatewayItself } from "./subscriptions.ts";

export function announceListChange(host: FaceHost, server: string, kind: ListKind): void {
  const { changed } = listKinds[kind];
  const concerns = (backend: string | undefined) =>
    backend === undefined ? kind !== "tools" || showsTools(host, server) : host.resolveServer(backend) === server;
  for (const session of host.sessions.all()) if (concerns(session.backend)) session.notify(changed, undefined);
  for (const listening of host.listenings)
    if (listening.changes.has(changed) && concerns(listening.backend)) listening.notify(changed, undefined);
}

/** The gateway's own resources changed: their list, and these of them. */
export function announceSkills(host: FaceHost, uris: readonly string[]): void {
  const { changed } = listKinds.resources;
  for (const session of host.sessions.all()) if (session.backend === undefined) session.notify(changed, undefined);
  for (const listening of host.listenings)
    if (listening.changes.has(changed) && listening.backend === undefined) listening.notify(changed, undefined);
  for (const uri of uris) announceUpdate(host, gatewayItself, { uri });
}

/** `notifications/resources/updated`: for those who watch the resource, under the URI each knows it by. */
export function announceUpdate(host: FaceHost, server: string, params: JsonObject): void {
  const { uri } = params;
  if (typeof uri !== "string") return;
  // Who watches two things that this is a part of hears of it once; what was granted may have ended since.
  for (const [watcher, shownAs] of new Map(host.subscriptions.watchersOf({ server, uri })))
    if (watcher.caller?.grants?.allow(server) !== false) watcher.notify(resourceUpdated, { ...params, uri: shownAs });
}

/** `notifications/elicitation/complete`: only for the client that was shown the address. */
export function announceElicitationEnd(host: FaceHost, server: string, params: JsonObject): void {
  const key = `${server}\0${params["elicitationId"]}`;
  for (const session of host.sessions.all())
    if (session.elicitations.delete(key)) session.notify(elicitationEnd, params);
}

/**
 * `notifications/message`: for every session that may use the tool it is about, and whose client wants messages of this
 * level. How many were told. A listening of 2026-07-28 has no messages (basic/patterns, "Subscriptions").
 */
export function announceMessage(
  host: FaceHost,
  { server, tool, audience }: { readonly server: string; readonly tool: string; readonly audience: Audience },
  params: JsonObject,
): number {
  // One text for all: those who are not connected keep it.
  const text = encodeRequest(undefined, "notifications/message", params);
  let told = 0;
  for (const session of host.sessions.all()) {
    const { backend, logLevel } = session;
    const caller = session.caller && narrowedCaller(host, session.caller, session);
    if (caller === undefined || !mayUseTool(caller, server, tool) || hiddenBy(audience, caller)) continue;
    if (backend !== undefined && host.resolveServer(backend) !== server) continue;
    if (logLevel !== undefined && logSeverity(params["level"]) < logSeverity(logLevel)) continue;
    session.push(text);
    told++;
  }
  return told;
}

/** With meta-tools, `tools/list` shows a backend's own tools only where they are surfaced. */
function showsTools(host: FaceHost, server: string): boolean {
  return !host.meta.enabled || pinnedTools(host).some((pinned) => host.resolveServer(pinned.server) === server);
}

/** The session has another profile, or its profile is another one now: what it was shown is out of date. */
export function announceProfile(host: FaceHost, session: Session, caller: Caller): void {
  const narrowed = narrowedCaller(host, caller, session);
  for (const { server, uri } of host.subscriptions.watchedBy(session))
    if (
      server !== gatewayItself &&
      !mayUseServer(narrowed, server) &&
      host.subscriptions.remove(session, { server, uri })
    )
      host.unwatch({ server, uri });
  host.sessions.save(session);
  for (const method of listChanges) session.notify(method, undefined);
}

/** The configuration shows other things than before. */
export function announceView(host: FaceHost): void {
  // Whose they are is not known here, and not needed: the profile that was asked for is what may hide more now.
  for (const session of host.sessions.all()) announceProfile(host, session, anonymousCaller);
  for (const listening of host.listenings)
    for (const method of listChanges) if (listening.changes.has(method)) listening.notify(method, undefined);
}

const listChanges = [listKinds.tools.changed, listKinds.resources.changed, listKinds.prompts.changed];
