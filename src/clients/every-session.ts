/** All sessions that may use a backend, told of its resources together: what one of them watches itself it hears once. */
import type { Caller } from "../core/caller.ts";
import { mayUseServer } from "../core/scope.ts";
import type { JsonObject } from "../lib/json.ts";
import { encodeRequest } from "../mcp/json-rpc.ts";
import type { FaceHost } from "./host.ts";
import { narrowedCaller } from "./narrowed-caller.ts";
import { qualifyUri } from "./resource-uris.ts";
import type { Session } from "./session.ts";
import type { Watcher } from "./subscriptions.ts";

/** Stands for them where a backend's resources are watched. Clients of 2026-07-28 say themselves what they listen to. */
export function everySession(host: FaceHost, server: string): Watcher {
  return {
    notify(method, params = {}) {
      const uri = String(params["uri"]);
      const watchers = new Map(host.subscriptions.watchersOf({ server, uri }));
      const others = otherOwners(host, server, uri);
      for (const session of host.sessions.all()) {
        const caller = callerIn(host, session, server);
        if (caller === undefined || watchers.has(session)) continue;
        const isShared = session.backend === undefined && others.some((other) => mayUseServer(caller, other));
        const shown: JsonObject = { ...params, uri: isShared ? qualifyUri(server, uri) : uri };
        // Every gateway that has the session sees it for itself, so that none needs to tell the others.
        session.push(encodeRequest(undefined, method, shown));
      }
    },
  };
}

/** Who holds the session, where that is known, the backend is within it, and he may use the backend. */
function callerIn(host: FaceHost, session: Session, server: string): Caller | undefined {
  if (session.backend !== undefined && host.resolveServer(session.backend) !== server) return undefined;
  const caller = session.caller && narrowedCaller(host, session.caller, session);
  return caller !== undefined && mayUseServer(caller, server) ? caller : undefined;
}

/** Other backends that list the URI: on `/mcp` it is shown with the name of its backend then. */
function otherOwners(host: FaceHost, server: string, uri: string): string[] {
  const lists = (name: string) => host.catalog.list(name, "resources")?.some((item) => item["uri"] === uri) === true;
  return host.servers().flatMap(({ name, enabled }) => (enabled && name !== server && lists(name) ? [name] : []));
}
