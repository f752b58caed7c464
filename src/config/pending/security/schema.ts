/** Members of the `security` section whose feature comes later. */
import * as v from "valibot";
import { setting } from "../../../core/kinds.ts";

const remoteServerSigningSchema = v.object({
  require_for_remote_backends: setting(v.boolean(), false, "Refuse remote backends without a valid signature"),
  trusted_keys: setting(
    v.record(
      v.string(),
      v.object({
        algorithm: setting(v.literal("ed25519"), "ed25519", "Kind of key"),
        public_key: v.pipe(v.string(), v.description("The key in base64")),
      }),
    ),
    {},
    "Keys that are trusted, by name",
  ),
  backends: setting(
    v.record(
      v.string(),
      v.object({
        subject: v.pipe(v.string(), v.description("Whom it names")),
        issuer: v.pipe(v.string(), v.description("Who signed")),
        issued_at: v.pipe(v.union([v.string(), v.number()]), v.description("When")),
        key_id: v.pipe(v.string(), v.description("Name of the key")),
        signature: v.pipe(v.string(), v.description("The signature in base64")),
      }),
    ),
    {},
    "Signatures by backend",
  ),
});

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
  remote_server_signing: setting(remoteServerSigningSchema, {}, "Signatures of remote backends"),
  claim_capture: setting(
    v.object({
      enabled: setting(v.boolean(), false, "Record claims"),
      path: setting(v.string(), "~/.mcp-gateway/claim-capture/claims.jsonl", "File of the record"),
    }),
    {},
    "Capture of claims",
  ),
};
