/** Refuses attempts beyond the backend's rate. It never waits: the caller is told how long to. */
import type { Call, Stage } from "../../core/call.ts";
import { DeniedError } from "../../core/errors.ts";
import { type SharedLimits, takeShared } from "../../core/shared-limits.ts";
import type { TokenBucket } from "../../lib/token-bucket.ts";
import type { RateLimitSettings } from "./schema.ts";

/** @param limits left out, the gateway counts alone */
export function rateLimitStage(
  settings: RateLimitSettings,
  bucket: TokenBucket,
  limits?: SharedLimits,
): Stage | undefined {
  if (!settings.enabled) return undefined;

  function refusal({ upstream: server }: Call, waitMs: number): DeniedError {
    return new DeniedError(
      "RATE_LIMITED",
      `Server "${server}" gets at most ${settings.requests_per_second} calls per second, ${settings.burst_size} at once`,
      {
        hint: "Wait and try again, or raise failsafe.rate_limit",
        data: { server, retry_after_ms: waitMs },
      },
    );
  }

  if (limits === undefined)
    return (call, next) => (bucket.take() ? next(call) : Promise.reject(refusal(call, bucket.waitMs)));
  return async (call, next) => {
    const waitMs = await takeShared(bucket, `server:${call.upstream}`, limits);
    if (waitMs > 0) throw refusal(call, waitMs);
    return next(call);
  };
}
