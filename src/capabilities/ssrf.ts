/**
 * Keeps capabilities off the machine and the network the gateway runs in (T11): only http and https, and only to public
 * addresses. The URL parser has made every spelling of an address (`127.1`, `0x7f000001`, `[::ffff:7f00:1]`) one by
 * then. A name is resolved here, once, and the request goes to one of the addresses that were judged.
 */
import { addressesBehind, isAddress, isPublicAddress, type ResolveHost } from "../runtime/internet-address.ts";
import { Refusal } from "./refusal.ts";

/**
 * Resolves when a request may go there, with the addresses it may go to, the ones to try first in front; `undefined`
 * where any is good, or the URL has one already. @throws Refusal saying why not
 */
export type CheckTarget = (url: URL) => Promise<readonly string[] | undefined>;

/** @param allowPrivate `security.ssrf_protection: false`: any address is good, only the scheme is checked */
export function targetCheck(allowPrivate: boolean, resolve?: ResolveHost): CheckTarget {
  return async (url) => {
    if (url.protocol !== "http:" && url.protocol !== "https:")
      throw new Refusal(`Cannot send a request to a "${url.protocol}" address: only http and https are allowed`);
    if (url.username !== "" || url.password !== "")
      throw new Refusal("Cannot send a request to an address with a user name in it");
    if (allowPrivate) return undefined;
    const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
    const addresses = await addressesBehind(url, resolve);
    if (addresses.length === 0)
      throw new Refusal(`Cannot find the host "${host}"`, "Check the host name and the DNS of the gateway's machine", {
        outcome: "unsent",
        isTransient: true,
      });
    if (!addresses.every(isPublicAddress))
      throw new Refusal(
        `Cannot send a request to "${host}": it is a private or reserved address`,
        "The operator of the gateway can allow private addresses with security.ssrf_protection: false",
        { outcome: "unsent" },
      );
    return isAddress(host) ? undefined : addresses;
  };
}
