/** Refuses attempts beyond the backend's rate. It never waits: the caller is told how long to. */
import type { Stage } from "../../core/call.ts";
import { DeniedError } from "../../core/errors.ts";
import type { TokenBucket } from "../../lib/token-bucket.ts";
import type { RateLimitSettings } from "./schema.ts";

export function rateLimitStage(settings: RateLimitSettings, bucket: TokenBucket): Stage | undefined {
  if (!settings.enabled) return undefined;
  return (call, next) => {
    if (bucket.take()) return next(call);
    return Promise.reject(
      new DeniedError(
        "RATE_LIMITED",
        `Server "${call.upstream}" gets at most ${settings.requests_per_second} calls per second, ${settings.burst_size} at once`,
        {
          hint: "Wait and try again, or raise failsafe.rate_limit",
          data: { server: call.upstream, retry_after_ms: bucket.waitMs },
        },
      ),
    );
  };
}
