/** Active sections that few files have: loaded, as the pending ones are, for those that do. */
import * as v from "valibot";
import { setting } from "../../core/kinds.ts";
import { mtlsSchema } from "../../doors/tls/schema.ts";
import { runtimeSchema } from "../../upstreams/isolation/schema.ts";

export const rareSections = {
  mtls: setting(mtlsSchema, {}, "TLS and client certificates"),
  runtime: setting(runtimeSchema, {}, "What stdio servers run in"),
};

const rareSchema = v.object(rareSections);
export type RareConfig = v.InferOutput<typeof rareSchema>;
