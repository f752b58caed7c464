import * as v from "valibot";
import { duration, nonNegativeInteger, ratio, setting } from "../../core/kinds.ts";

export const retrySchema = v.object({
  enabled: setting(
    v.boolean(),
    true,
    "Repeat failed calls that are safe to repeat; a call that may write is never repeated",
  ),
  max_attempts: setting(nonNegativeInteger, 3, "Attempts in all, the first included"),
  initial_backoff: setting(
    duration,
    "100ms",
    "Wait before the second attempt; each wait is drawn at random up to the back-off",
  ),
  max_backoff: setting(duration, "10s", "Longest wait between attempts"),
  multiplier: setting(v.pipe(v.number(), v.minValue(1)), 2, "Growth of the back-off from attempt to attempt"),
  budget_ratio: setting(ratio, 0.2, "Retries allowed as a share of the calls of the last 10 seconds"),
  budget_per_second: setting(v.pipe(v.number(), v.minValue(0)), 10, "Retries per second allowed in any case"),
});
export type RetrySettings = v.InferOutput<typeof retrySchema>;
