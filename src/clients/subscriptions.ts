/** Which session watches which resource. A backend is asked once for all who watch the same resource of it. */
import type { Session } from "./session.ts";

/** A resource as its backend knows it. */
export interface Watched {
  readonly server: string;
  readonly uri: string;
}

export class Subscriptions {
  /** By server, by URI: the sessions that watch, each with the URI it knows the resource by. */
  readonly #servers = new Map<string, Map<string, Map<Session, string>>>();

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

  /** @param shownAs what the session calls it: another URI only where two backends list the same one */
  add(session: Session, { server, uri }: Watched, shownAs: string): void {
    const uris = this.#servers.get(server) ?? new Map<string, Map<Session, string>>();
    const watchers = uris.get(uri) ?? new Map<Session, string>();
    this.#servers.set(server, uris);
    uris.set(uri, watchers);
    watchers.set(session, shownAs);
  }

  /** What the session watches under this URI. */
  find(session: Session, shownAs: string): Watched | undefined {
    return this.watchedBy(session).find((watched) => watched.shownAs === shownAs);
  }

  watchedBy(session: Session): (Watched & { readonly shownAs: string })[] {
    const found = [];
    for (const [server, uris] of this.#servers)
      for (const [uri, watchers] of uris) {
        const shownAs = watchers.get(session);
        if (shownAs !== undefined) found.push({ server, uri, shownAs });
      }
    return found;
  }

  /** True when now nobody watches it. */
  remove(session: Session, { server, uri }: Watched): boolean {
    const uris = this.#servers.get(server);
    const watchers = uris?.get(uri);
    if (!watchers?.delete(session) || watchers.size > 0) return false;
    uris?.delete(uri);
    if (uris?.size === 0) this.#servers.delete(server);
    return true;
  }

  /** Forgets the session; gives what nobody watches any more. */
  removeSession(session: Session): Watched[] {
    const watched = [...this.#servers].flatMap(([server, uris]) => [...uris.keys()].map((uri) => ({ server, uri })));
    return watched.filter((one) => this.remove(session, one));
  }

  /**
   * The sessions to tell that a resource changed, each with the URI to tell: those that watch it, or where nobody does,
   * those that watch what it is a part of (server/resources, "Subscriptions").
   */
  watchersOf({ server, uri }: Watched): [session: Session, shownAs: string][] {
    const uris = this.#servers.get(server);
    const watchers = uris?.get(uri);
    if (watchers !== undefined) return [...watchers];
    return [...(uris ?? [])]
      .filter(([watched]) => uri.startsWith(watched.endsWith("/") ? watched : `${watched}/`))
      .flatMap(([, sessions]) => [...sessions.keys()].map((session): [Session, string] => [session, uri]));
  }
}
