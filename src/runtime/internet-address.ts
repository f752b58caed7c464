/** Which network addresses belong to the public internet, and the addresses behind a name. */
import { lookup } from "node:dns/promises";
import { BlockList, isIP } from "node:net";

/** Special-purpose blocks of the IANA registries, and 168.63.129.16, the metadata address of Azure. */
const reserved = [
  "0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 168.63.129.16/32 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24",
  "192.0.2.0/24 192.31.196.0/24 192.52.193.0/24 192.88.99.0/24 192.168.0.0/16 192.175.48.0/24 198.18.0.0/15",
  "198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4",
  // ::/96 holds ::, ::1 and the old IPv4-compatible form; the translated forms (64:ff9b, 2002) can hide any IPv4 address.
  "::/96 64:ff9b::/96 64:ff9b:1::/48 100::/64 2001::/23 2001:db8::/32 2002::/16 3fff::/20 5f00::/16 fc00::/7 fe80::/10",
  "fec0::/10 ff00::/8",
].flatMap((line) => line.split(" "));

let blocks: BlockList | undefined;

/** Whether a literal IPv4 or IPv6 address, without brackets, is public; IPv4 inside IPv6 is judged as IPv4. */
export function isPublicAddress(address: string): boolean {
  const version = isIP(address);
  // A zone (`fe80::1%eth0`) is only for link-local addresses, and Deno's block list lets what it cannot read through.
  if (version === 0 || address.includes("%")) return false;
  blocks ??= blockList();
  return !blocks.check(address, version === 4 ? "ipv4" : "ipv6");
}

/** All addresses of a host name; rejects when it has none. */
export type ResolveHost = (host: string) => Promise<readonly string[]>;

export function isAddress(host: string): boolean {
  return isIP(host) !== 0;
}

/** Every address the system has for a name. @throws the system's error when there is none */
export async function resolveAddresses(host: string): Promise<string[]> {
  return (await lookup(host, { all: true })).map(({ address }) => address);
}

/**
 * Every address behind the host of a URL, IPv4 first: where the way to the IPv6 internet ends halfway, connecting there
 * takes all the time there is. None when nobody knows the host.
 */
export async function addressesBehind({ hostname }: URL, resolve: ResolveHost = resolveAddresses): Promise<string[]> {
  const host = hostname.replace(/^\[(.*)\]$/, "$1");
  const addresses = isAddress(host) ? [host] : await resolve(host).catch(() => []);
  return [...addresses].sort((a, b) => Number(a.includes(":")) - Number(b.includes(":")));
}

function blockList(): BlockList {
  const list = new BlockList();
  for (const block of reserved) {
    const [network = "", prefix] = block.split("/");
    list.addSubnet(network, Number(prefix), network.includes(":") ? "ipv6" : "ipv4");
  }
  return list;
}
