import * as v from "valibot";
import { nonNegativeInteger, setting } from "../../core/kinds.ts";

export const webhooksSchema = v.object({
  enabled: setting(v.boolean(), true, "Receive the webhooks that capabilities declare"),
  base_path: setting(v.pipe(v.string(), v.startsWith("/")), "/webhooks", "Path below which webhooks arrive"),
  require_signature: setting(
    v.boolean(),
    true,
    "Refuse deliveries to webhooks that have no secret; those to one that has are always checked",
  ),
  rate_limit: setting(
    nonNegativeInteger,
    100,
    "Deliveries per minute from one address to one webhook; 0 means no limit",
  ),
});
export type WebhooksSettings = v.InferOutput<typeof webhooksSchema>;
