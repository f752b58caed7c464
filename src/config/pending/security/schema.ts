/** Members of the `security` section whose feature comes later. */
import * as v from "valibot";
import { setting } from "../../../core/kinds.ts";

export const pendingSecurityEntries = {
  trust_configured_backends: setting(v.boolean(), true, "Let configured backends be in private networks"),
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
};
