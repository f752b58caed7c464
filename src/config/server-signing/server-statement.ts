/** What somebody signs who vouches for a remote backend: that this name stands for that address. */
import { canonicalJson } from "../../lib/canonical-json.ts";
import { type ReplicaConfig, replicasOf } from "../replicas.ts";
import type { BackendConfig } from "../schema.ts";
import type { ServerSignature } from "./schema.ts";

export interface RemoteAddress {
  readonly transport: "http" | "websocket" | "a2a";
  /** As configured, with its variables filled in. */
  readonly url: string;
}

/** The remote addresses of a backend by what they are signed as: its name, or `name/id` for each of its replicas. */
export function remoteAddressesOf(backend: BackendConfig): ReadonlyMap<string, RemoteAddress> {
  const { name } = backend;
  const replicas = replicasOf(backend);
  const servers = replicas.length === 0 ? [{ signedAs: name, backend }] : replicas.map(replicaOf);
  const found = new Map<string, RemoteAddress>();
  for (const server of servers) {
    const address = remoteAddressOf(server.backend);
    if (address !== undefined) found.set(server.signedAs, address);
  }
  return found;
}

function replicaOf({ id, backend }: ReplicaConfig) {
  return { signedAs: `${backend.name}/${id}`, backend };
}

/** `undefined` for programs and sockets of this machine. */
function remoteAddressOf({
  http_url,
  a2a_url,
}: Pick<BackendConfig, "http_url" | "a2a_url">): RemoteAddress | undefined {
  if (a2a_url !== undefined) return { transport: "a2a", url: a2a_url };
  if (http_url === undefined || /^unix:/i.test(http_url)) return undefined;
  return { transport: /^wss?:/i.test(http_url) ? "websocket" : "http", url: http_url };
}

/**
 * The text that is signed.
 * @param backend as {@link remoteAddressesOf} has it
 */
export function serverStatement(
  backend: string,
  { transport, url }: RemoteAddress,
  { subject, issuer, issued_at }: Pick<ServerSignature, "subject" | "issuer" | "issued_at">,
): string {
  return canonicalJson({ backend, transport, url, subject, issuer, issued_at });
}
