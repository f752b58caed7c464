/** Rate limits over all gateways: one bucket of tokens for each name, by the clock of Redis. */
import type { SharedLimits } from "../../core/shared-limits.ts";
import { sha256Hex } from "../../runtime/digest.ts";
import { redisScript } from "../../runtime/redis.ts";
import type { SharedLink } from "./shared-link.ts";

/** As lib/token-bucket.ts. Of a clock that was set back nothing is gained or lost. */
const take = redisScript(`
local rate, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
local held = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local tokens = tonumber(held[1]) or burst
local passed = math.max(0, now - (tonumber(held[2]) or now))
tokens = math.min(burst, tokens + passed / 1000 * rate)
local wait = 0
if tokens >= 1 then tokens = tokens - 1 else wait = math.ceil((1 - tokens) / rate * 1000) end
redis.call('HSET', KEYS[1], 'tokens', string.format('%.6f', tokens), 'at', string.format('%.3f', now))
redis.call('PEXPIRE', KEYS[1], math.min(math.ceil(burst / rate * 1000) + 1000, 86400000))
return wait`);

export function createSharedLimits(link: SharedLink): SharedLimits {
  return {
    async take(name, ratePerSecond, burst) {
      const waitMs = await link.ask(take, [link.keyOf(`rate:${sha256Hex(name)}`)], [ratePerSecond, burst]);
      return typeof waitMs === "number" && waitMs >= 0 ? waitMs : undefined;
    },
  };
}
