/** What becomes of what servers say without being asked: who is told, and what is not to be believed any more. */
import { announceElicitationEnd, announceUpdate } from "../clients/fan-out.ts";
import type { FaceHost } from "../clients/host.ts";
import type { Subscriptions } from "../clients/subscriptions.ts";
import type { Logger } from "../core/log.ts";
import type { UpstreamEvents } from "../core/upstream.ts";
import { elicitationEnd, resourceUpdated } from "../mcp/protocol.ts";
import { type Route, tellWatched } from "./dispatch.ts";
import type { ListKeeper } from "./list-keeper.ts";
import type { Policies } from "./policies.ts";

const maxLogged = 500;

export interface UpstreamEventsOptions {
  readonly log: Logger;
  readonly policies: Policies;
  readonly subscriptions: Subscriptions;
  /** Made later than this; no server speaks before. */
  readonly host: () => FaceHost;
  readonly lists: () => ListKeeper;
  /** Told that a server let the gateway in. */
  letIn(server: string): void;
  redact(text: string): string;
  routeOf(name: string): Route | undefined;
}

export function upstreamEvents(options: UpstreamEventsOptions): UpstreamEvents {
  const { log, policies, subscriptions, host, lists, letIn, redact, routeOf } = options;
  const { answers } = policies.context.kept;
  return {
    onNotification({ name: server }, method, params) {
      if (method === "notifications/message") {
        // Cut after secrets are out of it, or half of one would pass.
        log.debug("A backend logged", { server, data: redact(JSON.stringify(params)).slice(0, maxLogged) });
        return;
      }
      answers.forget(server);
      if (method === resourceUpdated) announceUpdate(host(), server, params);
      else if (method === elicitationEnd) announceElicitationEnd(host(), server, params);
      else lists().onNotification(server, method);
    },
    onConnected(upstream) {
      const { name } = upstream;
      answers.forget(name);
      letIn(name);
      policies.integrity.onConnected(name);
      lists().onConnected(name);
      host().applyLogLevels();
      const route = routeOf(name);
      if (route?.used === upstream) for (const uri of subscriptions.urisOf(name)) tellWatched(route, uri, true);
    },
  };
}
