/** Addresses of backends where those are not trusted; loaded for the files that say so. Names are judged when they are connected to. */
import { isAddress, isPublicAddress } from "../runtime/internet-address.ts";
import type { Findings } from "./backends.ts";
import type { Path } from "./path.ts";
import type { ParsedConfig } from "./schema.ts";

export function checkAddresses({ backends }: ParsedConfig, found: Findings): void {
  for (const [name, backend] of Object.entries(backends)) {
    const own: Path = ["backends", name];
    checkServer(backend, own, found);
    for (const [at, replica] of (backend.replicas ?? []).entries())
      checkServer(replica, [...own, "replicas", at], found);
  }
}

type Server = { readonly [key in "http_url" | "a2a_url"]?: string | undefined };

function checkServer(server: Server, path: Path, found: Findings): void {
  for (const key of ["http_url", "a2a_url"] as const) {
    const url = URL.parse(server[key] ?? "");
    const host = url?.hostname.replace(/^\[(.*)\]$/, "$1") ?? "";
    if (!isAddress(host) || isPublicAddress(host)) continue;
    const text = `is the private or reserved address ${host}, and "security.trust_configured_backends" is false`;
    found.problems.push({ path: [...path, key], text });
  }
}
