/**
 * `fetch` for addresses that servers name (RFC 9728, RFC 8414): they may lead where the gateway can go and the server
 * cannot (T11). From a public server only to public addresses over TLS, from one that is not trusted only to public
 * addresses, its own included; redirects are not followed.
 */
import { GatewayError } from "../../core/errors.ts";
import { addressesBehind, isPublicAddress, type ResolveHost } from "../../runtime/internet-address.ts";
import { fetchFrom } from "../../runtime/pinned-fetch.ts";

type Fetch = (url: string | URL, init?: RequestInit) => Promise<Response>;

const timeoutMs = 15_000;
const maxBodyBytes = 1_048_576;

/**
 * @param origin address of the backend
 * @param isTrusted `security.trust_configured_backends`: the backend itself may be anywhere
 */
export function guardedFetch(origin: URL, isTrusted: boolean, resolve?: ResolveHost): Fetch {
  let isPublic: Promise<boolean> | undefined;
  return async (target, init) => {
    const url = new URL(target);
    const isOwn = url.origin === origin.origin;
    let address: string | undefined;
    if (!isOwn || !isTrusted) {
      // A server in a private network may well have its authorization server beside it.
      isPublic ??= isTrusted
        ? publicAddress(origin, resolve).then((found) => found !== undefined)
        : Promise.resolve(true);
      if (await isPublic) {
        address = await publicAddress(url, resolve);
        if (address === undefined || (!isOwn && url.protocol !== "https:"))
          throw new GatewayError("FORBIDDEN", `The server names "${url.origin}", which is no public address over TLS`);
      }
    }
    const signal = AbortSignal.timeout(timeoutMs);
    const response = await fetchFrom(url, address, { ...init, redirect: "manual", signal });
    if (Number(response.headers.get("content-length") ?? 0) > maxBodyBytes)
      throw new GatewayError("RESULT_TOO_LARGE", `"${url.origin}" answers with more than ${maxBodyBytes} bytes`);
    return response;
  };
}

/** The address to go to, if all there are are public. */
async function publicAddress(url: URL, resolve: ResolveHost | undefined): Promise<string | undefined> {
  const addresses = await addressesBehind(url, resolve);
  return addresses.every(isPublicAddress) ? addresses[0] : undefined;
}
