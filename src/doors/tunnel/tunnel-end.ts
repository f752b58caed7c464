/** How requests that come through the tunnel are known, and who sent them. */
import type { Guest } from "../http/visit.ts";

export interface TunnelEnd {
  /** Name that clients reach the gateway by, in lower case. */
  readonly host: string;
  /** Whoever is at the other end of the tunnel, where the request came through it. */
  guestOf(headers: Headers, peer: Guest): Guest;
}

const loopback = /^(?:127\.|::1$|::ffff:127\.)/;
const addressPattern = /^[0-9a-f.:]{2,45}$/i;

/**
 * Tailscale connects from this machine and says in `X-Forwarded-For` for whom, in place of whatever the client said. So
 * strangers who guess tokens are counted by their own addresses, and do not lock out everybody else who comes this way.
 * Another program of this machine can say the same: nothing but such counts may depend on it.
 */
export function tunnelEnd(host: string): TunnelEnd {
  return {
    host,
    guestOf(headers, peer) {
      const address = headers.get("x-forwarded-for");
      if (address === null || !addressPattern.test(address)) return peer;
      if (headers.get("host")?.toLowerCase().replace(/:\d+$/, "") !== host || !loopback.test(peer.address)) return peer;
      return { address, keepOpen: () => peer.keepOpen(), upgrade: (options) => peer.upgrade(options) };
    },
  };
}
