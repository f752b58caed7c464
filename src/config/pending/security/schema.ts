/** The `security` section. */
import * as v from "valibot";
import { globs, maybe, nonNegativeInteger, positiveInteger, ratio, secret, setting } from "../../../core/kinds.ts";

const toolPolicySchema = v.object({
  enabled: setting(v.boolean(), true, "Apply the policy"),
  default_action: setting(v.picklist(["allow", "deny"]), "allow", "What happens to a tool no list names"),
  allow: setting(globs, [], "Tools that may be called"),
  deny: setting(globs, [], "Tools that may not be called"),
  use_default_deny: setting(v.boolean(), true, "Also deny tools that are known to be dangerous"),
  log_denied: setting(v.boolean(), true, "Log what was denied"),
});

const firewallSchema = v.object({
  enabled: setting(v.boolean(), true, "Inspect requests and responses"),
  scan_requests: setting(v.boolean(), true, "Inspect arguments"),
  scan_responses: setting(v.boolean(), true, "Inspect results"),
  prompt_injection_detection: setting(v.boolean(), true, "Look for instructions to the model in results"),
  credential_redaction: setting(v.boolean(), true, "Replace credentials in results"),
  anomaly_detection: setting(v.boolean(), false, "Look for unusual sequences of calls"),
  audit_log: maybe(v.string(), "File that findings are written to"),
  rules: setting(
    v.array(
      v.object({
        match: v.string(),
        action: v.picklist(["allow", "warn", "block"]),
        reason: maybe(v.string(), "Shown to the caller"),
        scan: setting(v.array(v.string()), [], "What is looked for"),
      }),
    ),
    [],
    "Rules by tool, as globs; the first that matches decides",
  ),
  anomaly_threshold: setting(ratio, 0.7, "Score that is reported"),
  anomaly_block_threshold: maybe(ratio, "Score that is blocked"),
  memory_poisoning: setting(
    v.object({
      enabled: setting(v.boolean(), true, "Inspect what tools are told to remember"),
      max_entry_size_bytes: setting(positiveInteger, 10_240, "Largest entry"),
      scan_tools: setting(globs, ["remember", "batch_remember", "store", "kv_set", "kv_search"], "Tools that remember"),
    }),
    {},
    "Poisoned memories",
  ),
});

const messageSigningSchema = v.object({
  enabled: setting(v.boolean(), false, "Sign results"),
  shared_secret: setting(secret, "", "Key of the signature: a literal or `env:VAR`"),
  previous_secret: setting(secret, "", "Key before the last change, still accepted"),
  require_nonce: setting(v.boolean(), false, "Refuse calls without a nonce"),
  replay_window: setting(nonNegativeInteger, 300, "Seconds a nonce is remembered"),
  key_id: setting(v.string(), "default", "Name of the key"),
});

const agentIdentitySchema = v.object({
  enabled: setting(v.boolean(), false, "Read the `X-Agent-Id` header"),
  require_id: setting(v.boolean(), false, "Refuse requests without it"),
  known_agents: setting(v.array(v.string()), [], "Agents that are accepted; empty means all"),
});

const transparencyLogSchema = v.object({
  enabled: setting(v.boolean(), false, "Write a hash-chained record of every call"),
  path: setting(v.string(), "~/.mcp-gateway/transparency/transparency.jsonl", "File of the record"),
  key_id: setting(v.string(), "default", "Name of the key"),
  shared_secret: setting(secret, "", "Key each entry is signed with: a literal or `env:VAR`"),
});

const responseContractSchema = v.object({
  enabled: setting(v.boolean(), false, "Hold results to limits"),
  action_mode: setting(v.boolean(), false, "Refuse what breaks a limit instead of reporting it"),
  default_max_bytes: maybe(positiveInteger, "Largest result of any tool"),
  fail_closed: setting(v.boolean(), false, "Refuse what could not be inspected"),
  tools: setting(
    v.record(
      v.string(),
      v.object({
        max_bytes: maybe(positiveInteger, "Largest result"),
        forbidden_patterns: setting(v.array(v.string()), [], "Patterns a result must not contain"),
        action_mode: maybe(v.boolean(), "As above, for this tool"),
      }),
    ),
    {},
    "Limits by tool",
  ),
});

const remoteServerSigningSchema = v.object({
  require_for_remote_backends: setting(v.boolean(), false, "Refuse remote backends without a valid signature"),
  trusted_keys: setting(
    v.record(
      v.string(),
      v.object({ algorithm: setting(v.literal("ed25519"), "ed25519", "Kind of key"), public_key: v.string() }),
    ),
    {},
    "Keys that are trusted, by name",
  ),
  backends: setting(
    v.record(
      v.string(),
      v.object({
        subject: v.string(),
        issuer: v.string(),
        issued_at: v.union([v.string(), v.number()]),
        key_id: v.string(),
        signature: v.string(),
      }),
    ),
    {},
    "Signatures by backend",
  ),
});

export const securitySchema = v.object({
  sanitize_input: setting(v.boolean(), true, "Clean arguments of invisible and control characters"),
  ssrf_protection: setting(v.boolean(), true, "Refuse addresses of private networks where a caller chooses them"),
  trust_configured_backends: setting(v.boolean(), true, "Let configured backends be in private networks"),
  tool_policy: setting(toolPolicySchema, {}, "Tools that may be called"),
  firewall: setting(firewallSchema, {}, "Firewall"),
  message_signing: setting(messageSigningSchema, {}, "Signed results"),
  agent_identity: setting(agentIdentitySchema, {}, "Identity of agents"),
  transparency_log: setting(transparencyLogSchema, {}, "Transparency log"),
  response_inspection: setting(
    v.object({
      enabled: setting(v.boolean(), true, "Inspect results"),
      action_mode: setting(v.boolean(), false, "Refuse instead of reporting"),
    }),
    {},
    "Inspection of results",
  ),
  response_contract: setting(responseContractSchema, {}, "Limits of results"),
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
});
