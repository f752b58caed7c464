/**
 * `fetch` to an address that was looked up and judged before, under the name it belongs to: a resolver that answers
 * differently the second time changes nothing (T11). Bun connects to the address and takes the name for the Host
 * header, the TLS handshake and the certificate. Deno cannot, and a proxy resolves names itself: there the name is used.
 */
import { environmentVariable } from "./process.ts";

interface RuntimeInit extends RequestInit {
  readonly tls?: object;
  /** Bun ends a response that is silent for five minutes, but not with this. */
  readonly timeout?: false;
}

/** @param address literal IPv4 or IPv6 address, without brackets; left out, the system resolves the name */
export function fetchFrom(url: URL, address: string | undefined, init: RuntimeInit): Promise<Response> {
  if (address === undefined || !canPin()) return fetch(url, init);
  const target = new URL(url);
  target.hostname = address.includes(":") ? `[${address}]` : address;
  const headers = new Headers(init.headers);
  headers.set("host", url.host);
  return fetch(target, { ...init, headers, tls: { ...init.tls, serverName: url.hostname } } as RequestInit);
}

export function canPin(): boolean {
  return "Bun" in globalThis && !proxies.some((name) => environmentVariable(name));
}

const proxies = ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
