import * as v from "valibot";
import { duration, positiveInteger, setting } from "../../core/kinds.ts";

export const cacheSchema = v.object({
  enabled: setting(v.boolean(), true, "Keep answers of tools that only read"),
  default_ttl: setting(duration, "60s", "Age after which a kept answer is not used any more"),
  max_entries: setting(positiveInteger, 10_000, "Answers kept at once; the least recently used goes first"),
  tools: setting(
    v.record(v.string(), duration),
    {},
    "Other ages by tool: `server:tool` or `tool`, also as a glob, the first that fits; `0` keeps nothing",
  ),
});
export type CacheSettings = v.InferOutput<typeof cacheSchema>;
