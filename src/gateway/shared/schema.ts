import * as v from "valibot";
import { duration, secret, setting } from "../../core/kinds.ts";

export const sharedStateSchema = v.object({
  redis_url: v.pipe(
    secret,
    v.minLength(1),
    v.description(
      "Redis or Valkey that the gateways have together: `redis://user:password@host:6379/0`, with TLS `rediss://`; also `env:VAR`",
    ),
  ),
  prefix: setting(v.string(), "mcp-gateway:", "Begin of all keys there; gateways with the same one act as one"),
  timeout: setting(
    v.pipe(duration, v.minValue(1)),
    "250ms",
    "Time a call waits for it; then this gateway goes on by itself for a while",
  ),
});
export type SharedStateSettings = v.InferOutput<typeof sharedStateSchema>;
