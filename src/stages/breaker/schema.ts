import * as v from "valibot";
import { duration, positiveInteger, setting } from "../../core/kinds.ts";

export const breakerSchema = v.object({
  enabled: setting(v.boolean(), true, "Stop calling a backend that keeps failing, and probe it again later"),
  failure_threshold: setting(positiveInteger, 5, "Consecutive failures that open the circuit"),
  success_threshold: setting(positiveInteger, 3, "Consecutive successes, one probe at a time, that close it again"),
  reset_timeout: setting(duration, "30s", "Time an open circuit waits before the first probe"),
});
export type BreakerSettings = v.InferOutput<typeof breakerSchema>;
