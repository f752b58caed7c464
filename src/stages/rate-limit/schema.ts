import * as v from "valibot";
import { positiveInteger, setting } from "../../core/kinds.ts";

export const rateLimitSchema = v.object({
  enabled: setting(v.boolean(), true, "Refuse calls beyond the rate, each with the time to wait"),
  requests_per_second: setting(
    v.pipe(v.number(), v.gtValue(0)),
    100,
    "Calls per second to one backend, attempts counted",
  ),
  burst_size: setting(positiveInteger, 50, "Calls allowed at once before the rate applies"),
});
export type RateLimitSettings = v.InferOutput<typeof rateLimitSchema>;
