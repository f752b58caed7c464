/**
 * Where a backend that is not trusted (`security.trust_configured_backends: false`) may be reached: at public addresses
 * alone (T11). A name is judged by all of its addresses, and what was judged is what is connected to.
 */
import { UnreachedError } from "../../core/errors.ts";
import { addressesBehind, isPublicAddress, type ResolveHost } from "../../runtime/internet-address.ts";

/** The addresses a URL of the backend may be reached at, best first. @throws UnreachedError when there are none, or one is not public */
export type FindAddresses = (url: URL) => Promise<readonly string[]>;

export function publicAddresses(server: string, resolve?: ResolveHost): FindAddresses {
  return async (url) => {
    const addresses = await addressesBehind(url, resolve);
    const data = { server };
    if (addresses.length === 0)
      throw new UnreachedError(
        "UPSTREAM_START_FAILED",
        `Cannot connect to server "${server}": nobody knows the host "${url.hostname}"`,
        { hint: "Check the URL of the backend, and the DNS of the gateway's machine", data },
      );
    const inside = addresses.find((address) => !isPublicAddress(address));
    if (inside === undefined) return addresses;
    const by = url.hostname.includes(inside) ? "" : `"${url.hostname}" leads to `;
    throw new UnreachedError(
      "UPSTREAM_START_FAILED",
      `Cannot connect to server "${server}": ${by}${inside}, which is a private or reserved address, and security.trust_configured_backends is false`,
      { hint: "Set it to true to let the configured backends be in private networks", data },
    );
  };
}
