import * as v from "valibot";
import { secret, setting } from "../../core/kinds.ts";

export const transparencyLogSchema = v.object({
  enabled: setting(v.boolean(), false, "Write a hash-chained record of every call, refused ones included"),
  path: setting(
    v.string(),
    "~/.mcp-gateway/transparency/transparency.jsonl",
    "File of the record; one gateway writes it",
  ),
  key_id: setting(v.string(), "default", "Name of the key"),
  shared_secret: setting(secret, "", "Key each entry is signed with by HMAC-SHA256: a literal or `env:VAR`"),
  fail_closed: setting(v.boolean(), false, "Refuse calls while the record cannot be written"),
});
export type TransparencyLogSettings = v.InferOutput<typeof transparencyLogSchema>;
