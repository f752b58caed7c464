/** What a program that has a server of its own hands on with a request: the second argument of its `fetch` handler. */
import type { Peer } from "./serve.ts";

/** As far as it is used: Bun hands its server, Deno what it knows of the connection. */
interface HostConnection {
  requestIP?(request: Request): { readonly address: string } | null;
  timeout?(request: Request, seconds: number): void;
  readonly remoteAddr?: { readonly hostname?: string };
}

/** WebSockets are for the host's server to open, so none is. */
export function hostPeer(request: Request, connection: unknown): Omit<Peer, "port"> {
  const host = (typeof connection === "object" && connection !== null ? connection : {}) as HostConnection;
  return {
    address: host.requestIP?.(request)?.address ?? host.remoteAddr?.hostname ?? "unknown",
    keepOpen: () => host.timeout?.(request, 0),
    upgrade: async () => undefined,
  };
}
