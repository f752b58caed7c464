/** Members of the `security` section whose feature comes later. */
import * as v from "valibot";
import { setting } from "../../../core/kinds.ts";

export const pendingSecurityEntries = {
  identity_grants: setting(
    v.object({
      enabled: setting(v.boolean(), false, "Ask for a grant before a call"),
      path: setting(v.string(), "~/.mcp-gateway/identity-grants.yaml", "File of the grants"),
      fail_on_error: setting(v.boolean(), true, "Refuse calls while the file cannot be read"),
      trust_caller_identity_headers: setting(v.boolean(), false, "Believe identity headers of the caller"),
    }),
    {},
    "Grants by identity",
  ),
  context_integrity: setting(
    v.object({
      preset: setting(
        v.picklist(["monitor_only", "local_developer", "team_shared", "audit_only", "enterprise_strict"]),
        "monitor_only",
        "How strict",
      ),
      non_bypassable: setting(v.boolean(), false, "Let no caller switch it off"),
    }),
    {},
    "Integrity of the context",
  ),
  claim_capture: setting(
    v.object({
      enabled: setting(v.boolean(), false, "Record claims"),
      path: setting(v.string(), "~/.mcp-gateway/claim-capture/claims.jsonl", "File of the record"),
    }),
    {},
    "Capture of claims",
  ),
};
