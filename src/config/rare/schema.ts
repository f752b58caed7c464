/** Active sections that few files have: loaded, as the pending ones are, for those that do. */
import * as v from "valibot";
import { maybe, setting } from "../../core/kinds.ts";
import { mtlsSchema } from "../../doors/tls/schema.ts";
import { sharedStateSchema } from "../../gateway/shared/schema.ts";
import { tracingSchema } from "../../observe/traces/schema.ts";
import { cacheSchema } from "../../stages/cache/schema.ts";
import { runtimeSchema } from "../../upstreams/isolation/schema.ts";

export const rareSections = {
  cache: maybe(cacheSchema, "Answers of tools that only read, kept for a while; without this section none are"),
  shared_state: maybe(
    sharedStateSchema,
    "What several gateways have together: sessions, limits, budgets, kept answers, idempotency keys; without this section each is alone",
  ),
  tracing: maybe(tracingSchema, "OpenTelemetry traces; without this section there are none"),
  mtls: setting(mtlsSchema, {}, "TLS and client certificates"),
  runtime: setting(runtimeSchema, {}, "What stdio servers run in"),
};

const rareSchema = v.object(rareSections);
export type RareConfig = v.InferOutput<typeof rareSchema>;
