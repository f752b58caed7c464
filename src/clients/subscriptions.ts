/** Who watches which resource. A backend is asked once for all who watch the same resource of it. */
import type { Caller } from "../core/caller.ts";
import type { JsonObject } from "../lib/json.ts";

/** A client as far as it is told of changes: a session, or a listening of 2026-07-28. */
export interface Watcher {
  /** Who it is, as far as that is known. */
  readonly caller?: Caller | undefined;
  /** Tells the client. */
  notify(method: string, params: JsonObject | undefined): void;
}

/** A resource as its backend knows it. */
export interface Watched {
  readonly server: string;
  readonly uri: string;
}

/** The server of resources that are the gateway's own: no backend has an empty name. */
export const gatewayItself = "";

export class Subscriptions {
  /** By server, by URI: those who watch, each with the URI it knows the resource by. */
  readonly #servers = new Map<string, Map<string, Map<Watcher, string>>>();

  has({ server, uri }: Watched): boolean {
    return this.#servers.get(server)?.has(uri) === true;
  }

  /** Whether anything of this server is watched. */
  hasAny(server: string): boolean {
    return this.#servers.has(server);
  }

  urisOf(server: string): string[] {
    return [...(this.#servers.get(server)?.keys() ?? [])];
  }

  /** @param shownAs what the watcher calls it: another URI only where two backends list the same one */
  add(watcher: Watcher, { server, uri }: Watched, shownAs: string): void {
    const uris = this.#servers.get(server) ?? new Map<string, Map<Watcher, string>>();
    const watchers = uris.get(uri) ?? new Map<Watcher, string>();
    this.#servers.set(server, uris);
    uris.set(uri, watchers);
    watchers.set(watcher, shownAs);
  }

  /** What they watch under this URI. */
  find(watcher: Watcher, shownAs: string): Watched | undefined {
    return this.watchedBy(watcher).find((watched) => watched.shownAs === shownAs);
  }

  watchedBy(watcher: Watcher): (Watched & { readonly shownAs: string })[] {
    const found = [];
    for (const [server, uris] of this.#servers)
      for (const [uri, watchers] of uris) {
        const shownAs = watchers.get(watcher);
        if (shownAs !== undefined) found.push({ server, uri, shownAs });
      }
    return found;
  }

  /** True when now nobody watches it. */
  remove(watcher: Watcher, { server, uri }: Watched): boolean {
    const uris = this.#servers.get(server);
    const watchers = uris?.get(uri);
    if (!watchers?.delete(watcher) || watchers.size > 0) return false;
    uris?.delete(uri);
    if (uris?.size === 0) this.#servers.delete(server);
    return true;
  }

  /** Forgets them; gives what nobody watches any more. */
  removeWatcher(watcher: Watcher): Watched[] {
    const watched = [...this.#servers].flatMap(([server, uris]) => [...uris.keys()].map((uri) => ({ server, uri })));
    return watched.filter((one) => this.remove(watcher, one));
  }

  /**
   * Those to tell that a resource changed, each with the URI to tell: those that watch it, or where nobody does,
   * those that watch what it is a part of (server/resources, "Subscriptions").
   */
  watchersOf({ server, uri }: Watched): [watcher: Watcher, shownAs: string][] {
    const uris = this.#servers.get(server);
    const watchers = uris?.get(uri);
    if (watchers !== undefined) return [...watchers];
    return [...(uris ?? [])]
      .filter(([watched]) => uri.startsWith(watched.endsWith("/") ? watched : `${watched}/`))
      .flatMap(([, watchers]) => [...watchers.keys()].map((watcher): [Watcher, string] => [watcher, uri]));
  }
}
