/**
 * Nonces of callers over all gateways. Each gateway keeps its own book too, which bounds how many there are here, and is
 * what counts while Redis is out of reach.
 */
import { sha256Hex } from "../../runtime/digest.ts";
import { redisScript } from "../../runtime/redis.ts";
import type { SharedLink } from "./shared-link.ts";

const take = redisScript("return redis.call('SET', KEYS[1], '1', 'NX', 'PX', ARGV[1]) and 1 or 0");
const free = redisScript("return redis.call('DEL', KEYS[1])");

export interface SharedNonces {
  /** False when it was used at another gateway. */
  take(principal: string, nonce: string, windowMs: number): Promise<boolean>;
  free(principal: string, nonce: string): Promise<void>;
}

export function createSharedNonces(link: SharedLink): SharedNonces {
  const keyOf = (principal: string, nonce: string) =>
    link.keyOf(`nonce:${sha256Hex(JSON.stringify([principal, nonce]))}`);
  return {
    take: async (principal, nonce, windowMs) => (await link.ask(take, [keyOf(principal, nonce)], [windowMs])) !== 0,
    async free(principal, nonce) {
      await link.ask(free, [keyOf(principal, nonce)]);
    },
  };
}
