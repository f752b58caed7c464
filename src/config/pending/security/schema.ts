/** Members of the `security` section whose feature comes later. */
import * as v from "valibot";
import { setting } from "../../../core/kinds.ts";

export const pendingSecurityEntries = {
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
