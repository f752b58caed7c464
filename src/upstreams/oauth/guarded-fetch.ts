/**
 * `fetch` for addresses that servers name (RFC 9728, RFC 8414): they may lead where the gateway can go and the server
 * cannot (T11). From a public server only to public addresses over TLS; redirects are not followed.
 */
import { GatewayError } from "../../core/errors.ts";
import { isAddress, isPublicAddress, resolveAddresses } from "../../runtime/internet-address.ts";

type Fetch = (url: string | URL, init?: RequestInit) => Promise<Response>;

const timeoutMs = 15_000;
const maxBodyBytes = 1_048_576;

/** @param origin address of the backend */
export function guardedFetch(
  origin: URL,
  resolve: (host: string) => Promise<readonly string[]> = resolveAddresses,
): Fetch {
  let isPublic: Promise<boolean> | undefined;
  return async (target, init) => {
    const url = new URL(target);
    if (url.origin !== origin.origin) {
      isPublic ??= leadsToPublic(origin, resolve);
      // A server in a private network may well have its authorization server beside it.
      if ((await isPublic) && (url.protocol !== "https:" || !(await leadsToPublic(url, resolve))))
        throw new GatewayError("FORBIDDEN", `The server names "${url.origin}", which is no public address over TLS`);
    }
    const response = await fetch(url, { ...init, redirect: "manual", signal: AbortSignal.timeout(timeoutMs) });
    if (Number(response.headers.get("content-length") ?? 0) > maxBodyBytes)
      throw new GatewayError("RESULT_TOO_LARGE", `"${url.origin}" answers with more than ${maxBodyBytes} bytes`);
    return response;
  };
}

async function leadsToPublic(
  { hostname }: URL,
  resolve: (host: string) => Promise<readonly string[]>,
): Promise<boolean> {
  const host = hostname.replace(/^\[(.*)\]$/, "$1");
  const addresses = isAddress(host) ? [host] : await resolve(host).catch(() => []);
  return addresses.length > 0 && addresses.every(isPublicAddress);
}
