/** Members of the `security` section whose feature comes later. */
import * as v from "valibot";
import { nonNegativeInteger, secret, setting } from "../../../core/kinds.ts";

const messageSigningSchema = v.object({
  enabled: setting(v.boolean(), false, "Sign results"),
  shared_secret: setting(secret, "", "Key of the signature: a literal or `env:VAR`"),
  previous_secret: setting(secret, "", "Key before the last change, still accepted"),
  require_nonce: setting(v.boolean(), false, "Refuse calls without a nonce"),
  replay_window: setting(nonNegativeInteger, 300, "Seconds a nonce is remembered"),
  key_id: setting(v.string(), "default", "Name of the key"),
});

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
  message_signing: setting(messageSigningSchema, {}, "Signed results"),
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
  provenance_stamping: setting(v.boolean(), false, "Add the origin to every result"),
  claim_capture: setting(
    v.object({
      enabled: setting(v.boolean(), false, "Record claims"),
      path: setting(v.string(), "~/.mcp-gateway/claim-capture/claims.jsonl", "File of the record"),
    }),
    {},
    "Capture of claims",
  ),
};
