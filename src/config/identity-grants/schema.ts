import * as v from "valibot";
import { setting } from "../../core/kinds.ts";

export const identityGrantsSchema = v.object({
  enabled: setting(v.boolean(), false, "Callers that are no admins may use only what the file grants them"),
  path: setting(v.string(), "~/.mcp-gateway/identity-grants.yaml", "File of the grants; a change counts at once"),
  fail_on_error: setting(
    v.boolean(),
    true,
    "Refuse to start, or to reload, while the file cannot be read; `false` goes on with the grants it had, at a start with none",
  ),
  trust_caller_identity_headers: setting(
    v.boolean(),
    false,
    "Not available: headers in which clients say who they are prove nothing",
  ),
});
export type IdentityGrantsSettings = v.InferOutput<typeof identityGrantsSchema>;

/** Who fits all that it names may use these tools of these servers. */
export interface Grant {
  readonly subject: string | undefined;
  /** In lower case. */
  readonly email: string | undefined;
  readonly group: string | undefined;
  readonly servers: readonly string[];
  readonly tools: readonly string[];
  /** Calendar milliseconds. */
  readonly endsAt: number | undefined;
}

/** `unreadable` where the file is, and the configuration is to be used all the same. */
export type Grants = readonly Grant[] | "unreadable";
