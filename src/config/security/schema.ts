/** The `security` section: of the stages, and of other rooms. */
import * as v from "valibot";
import { toolIntegritySchema } from "../../catalog/integrity/schema.ts";
import { setting } from "../../core/kinds.ts";
import { agentIdentitySchema } from "../../doors/agent-identity/schema.ts";
import { claimCaptureSchema } from "../../observe/claims/schema.ts";
import { transparencyLogSchema } from "../../observe/transparency/schema.ts";
import { securityStageEntries } from "../../stages/schema.ts";
import { identityGrantsSchema } from "../identity-grants/schema.ts";
import { remoteServerSigningSchema } from "../server-signing/schema.ts";

export const securitySchema = v.object({
  ...securityStageEntries,
  tool_integrity: setting(toolIntegritySchema, {}, "Scan and pins of tool definitions"),
  transparency_log: setting(transparencyLogSchema, {}, "Record of calls"),
  agent_identity: setting(agentIdentitySchema, {}, "Labels of agents"),
  remote_server_signing: setting(remoteServerSigningSchema, {}, "Signatures of remote backends"),
  ssrf_protection: setting(v.boolean(), true, "Refuse addresses of private networks where a caller chooses them"),
  trust_configured_backends: setting(
    v.boolean(),
    true,
    "Let `http_url` and `a2a_url` of backends lead to private and reserved addresses; `false` refuses to connect there",
  ),
  identity_grants: setting(identityGrantsSchema, {}, "Grants by identity"),
  claim_capture: setting(claimCaptureSchema, {}, "Record of what calls are for"),
});
