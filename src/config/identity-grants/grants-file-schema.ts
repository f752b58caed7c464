/** What the file of `security.identity_grants` holds; apart from the settings, which every start has. */
import * as v from "valibot";
import { globs, maybe, setting } from "../../core/kinds.ts";

const grantSchema = v.object({
  id: maybe(v.string(), "Its name among the grants, for `identity grants revoke`"),
  subject: maybe(
    v.string(),
    "Glob on `AUTHORITY:SUBJECT`: the issuer of a token and its subject, or `key`, `user` or `agent` and the configured name",
  ),
  email: maybe(v.string(), "Glob on the address that an issuer vouches for"),
  group: maybe(v.string(), "Glob on the groups of a token"),
  servers: setting(globs, [], "Backends, as globs; at least one"),
  tools: setting(globs, ["*"], "Tools of them, as globs on `tool` or `server:tool`"),
  expires_at: maybe(v.string(), "When it ends: a date, or a time with its zone"),
  reason: maybe(v.string(), "Why it was given; for people"),
});

export type WrittenGrant = v.InferOutput<typeof grantSchema>;

/** What is in the file. */
export const grantsFileSchema = v.object({ grants: setting(v.array(grantSchema), [], "Who may use what") });
