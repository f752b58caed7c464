import * as v from "valibot";
import { nonNegativeInteger, secret, setting } from "../../core/kinds.ts";

export const messageSigningSchema = v.object({
  enabled: setting(v.boolean(), false, 'Sign results of tools, in `_meta["mcp-gateway/signature"]`'),
  shared_secret: setting(secret, "", "Key of the signatures, which clients have too: a literal or `env:VAR`"),
  previous_secret: setting(
    secret,
    "",
    "Key before the last change: while it is set results are signed with both, so that clients can change over",
  ),
  require_nonce: setting(v.boolean(), false, "Refuse calls without a nonce"),
  replay_window: setting(
    nonNegativeInteger,
    300,
    "Seconds in which a caller's nonce is good for one request only; 0 remembers none",
  ),
  key_id: setting(v.string(), "default", "Name of the key, as results show it"),
});
export type MessageSigningSettings = v.InferOutput<typeof messageSigningSchema>;
