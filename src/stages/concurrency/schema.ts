import * as v from "valibot";
import { duration, nonNegativeInteger, positiveInteger, setting } from "../../core/kinds.ts";

export const concurrencySchema = v.object({
  enabled: setting(v.boolean(), true, "Bound the calls that run at one backend at once"),
  max_concurrent: setting(positiveInteger, 100, "Calls that may run at one backend at once"),
  max_queue: setting(nonNegativeInteger, 1000, "Calls that may wait for a place; further ones are refused at once"),
  queue_timeout: setting(duration, "10s", "Longest wait for a place"),
});
export type ConcurrencySettings = v.InferOutput<typeof concurrencySchema>;
