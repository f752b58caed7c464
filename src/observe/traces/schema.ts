import * as v from "valibot";
import { maybe, ratio, secret, setting } from "../../core/kinds.ts";

export const tracingSchema = v.object({
  enabled: setting(v.boolean(), true, "Send spans of requests and calls to a collector, by OTLP over HTTP as JSON"),
  otlp_endpoint: maybe(
    v.string(),
    "Address of the collector; `OTEL_EXPORTER_OTLP_ENDPOINT`, or else `http://localhost:4318`, by default",
  ),
  headers: setting(v.record(v.string(), secret), {}, "Headers for the collector; a value may be `env:VAR`"),
  service_name: maybe(v.string(), "`service.name`; `OTEL_SERVICE_NAME`, or else `mcp-gateway`, by default"),
  sample_ratio: setting(ratio, 1, "Share of traces that are kept where the client has not decided"),
});
export type TracingSettings = v.InferOutput<typeof tracingSchema>;
