/**
 * Watches all that the backends of `streaming.auto_subscribe` list, for every session that may use them, and follows
 * their lists. It wakes no backend; one that runs does not go to sleep while it is watched. Loaded for the first of them.
 */
import { everySession } from "../clients/every-session.ts";
import type { FaceHost } from "../clients/host.ts";
import type { Subscriptions, Watcher } from "../clients/subscriptions.ts";
import type { Logger } from "../core/log.ts";
import { isJsonObject } from "../lib/json.ts";
import { type Route, tellWatched } from "./dispatch.ts";

/** Each is a request to the backend, all of them at once. */
const maxResources = 200;

export interface AutoSubscriberOptions {
  readonly names: () => readonly string[];
  readonly host: FaceHost;
  readonly subscriptions: Subscriptions;
  readonly log: Logger;
  routeOf(name: string): Route | undefined;
}

export class AutoSubscriber {
  readonly #options: AutoSubscriberOptions;
  readonly #watchers = new Map<string, Watcher>();

  constructor(options: AutoSubscriberOptions) {
    this.#options = options;
  }

  /** Backends that are watched, or are to be. */
  get servers(): ReadonlySet<string> {
    return new Set([...this.#watchers.keys(), ...this.#options.names()]);
  }

  /** Brings what is watched of a backend in line with its list and the configuration. */
  follow(server: string): void {
    const { host, subscriptions, routeOf } = this.#options;
    const route = routeOf(server);
    const wanted = new Set(route === undefined ? [] : this.#wantedOf(server));
    const watcher = this.#watchers.get(server) ?? everySession(host, server);
    for (const { uri } of subscriptions.watchedBy(watcher))
      if (!wanted.has(uri) && subscriptions.remove(watcher, { server, uri })) host.unwatch({ server, uri });
    for (const uri of wanted) {
      if (route !== undefined && !subscriptions.has({ server, uri })) tellWatched(route, uri, true);
      subscriptions.add(watcher, { server, uri }, uri);
    }
    if (wanted.size > 0) this.#watchers.set(server, watcher);
    else this.#watchers.delete(server);
  }

  #wantedOf(server: string): readonly string[] {
    const { host, names, log } = this.#options;
    const resources = host.describe(server)?.capabilities["resources"];
    const canBeWatched = isJsonObject(resources) && resources["subscribe"] === true;
    if (!canBeWatched || !names().includes(server)) return [];
    const uris = (host.catalog.list(server, "resources") ?? []).map(({ uri }) => String(uri));
    if (uris.length > maxResources)
      log.warn("A backend of streaming.auto_subscribe lists more resources than are watched", {
        server,
        listed: uris.length,
        watched: maxResources,
      });
    return uris.slice(0, maxResources);
  }
}
