/** What becomes of what servers say without being asked: who is told, and what is not to be believed any more. */
import { announceElicitationEnd, announceListChange, announceUpdate } from "../clients/fan-out.ts";
import type { FaceHost } from "../clients/host.ts";
import type { Subscriptions } from "../clients/subscriptions.ts";
import type { Config } from "../config/schema.ts";
import type { Logger } from "../core/log.ts";
import type { UpstreamEvents } from "../core/upstream.ts";
import { elicitationEnd, type ListKind, resourceUpdated } from "../mcp/protocol.ts";
import type { AutoSubscriber } from "./auto-subscriber.ts";
import { type Route, tellWatched } from "./dispatch.ts";
import type { ListKeeper } from "./list-keeper.ts";
import type { Policies } from "./policies.ts";

const maxLogged = 500;

export interface UpstreamEventsOptions {
  readonly config: () => Config;
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

export interface GatewayEvents extends UpstreamEvents {
  onListChanged(server: string, kind: ListKind): void;
  /** Another configuration is in force. */
  onReload(): void;
}

export function upstreamEvents(options: UpstreamEventsOptions): GatewayEvents {
  const { log, policies, subscriptions, host, lists, letIn, redact, routeOf } = options;
  const { answers } = policies.context.kept;
  const names = () => options.config().streaming.auto_subscribe;
  let autoSubscriber: Promise<AutoSubscriber> | undefined;

  function follow(server: string): void {
    if (autoSubscriber !== undefined || names().includes(server)) void loaded().then((auto) => auto.follow(server));
  }

  function loaded(): Promise<AutoSubscriber> {
    autoSubscriber ??= import("./auto-subscriber.ts").then(
      (module) => new module.AutoSubscriber({ names, host: host(), subscriptions, log, routeOf }),
    );
    return autoSubscriber;
  }

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
      // What is on disk of its list is good enough to begin with.
      if (names().includes(name))
        void lists()
          .ensureListed(name, "resources")
          .then(
            () => follow(name),
            () => {},
          );
    },
    onListChanged(server, kind) {
      announceListChange(host(), server, kind);
      if (kind === "resources") follow(server);
    },
    onReload() {
      if (autoSubscriber === undefined && names().length === 0) return;
      void loaded().then((auto) => {
        for (const server of auto.servers) auto.follow(server);
      });
    },
  };
}
