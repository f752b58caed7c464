/** Active sections that few files have: loaded, as the pending ones are, for those that do. */
import * as v from "valibot";
import { maybe, setting } from "../../core/kinds.ts";
import { agentAuthSchema } from "../../doors/agent-auth/schema.ts";
import { keyServerSchema } from "../../doors/key-server/schema.ts";
import { mtlsSchema } from "../../doors/tls/schema.ts";
import { tunnelSchema } from "../../doors/tunnel/schema.ts";
import { sharedStateSchema } from "../../gateway/shared/schema.ts";
import { tracingSchema } from "../../observe/traces/schema.ts";
import { skillsSchema } from "../../skills/schema.ts";
import { cacheSchema } from "../../stages/cache/schema.ts";
import { runtimeSchema } from "../../upstreams/isolation/schema.ts";
import { controlPlaneSchema } from "../control-plane/schema.ts";

export const rareSections = {
  key_server: setting(keyServerSchema, {}, "Short-lived tokens for identities that log in elsewhere"),
  agent_auth: setting(agentAuthSchema, {}, "Tokens that agents sign themselves"),
  cache: maybe(cacheSchema, "Answers of tools that only read, kept for a while; without this section none are"),
  shared_state: maybe(
    sharedStateSchema,
    "What several gateways have together: sessions, limits, budgets, kept answers, idempotency keys, nonces; without this section each is alone",
  ),
  tracing: maybe(tracingSchema, "OpenTelemetry traces; without this section there are none"),
  mtls: setting(mtlsSchema, {}, "TLS and client certificates"),
  tunnel: setting(tunnelSchema, {}, "The gateway in a tailnet or on the internet, by Tailscale"),
  skills: setting(skillsSchema, {}, "Instructions for agents, as resources"),
  control_plane: setting(controlPlaneSchema, {}, "Roles of operators, and events for a SIEM"),
  runtime: setting(runtimeSchema, {}, "What stdio servers run in"),
};

const rareSchema = v.object(rareSections);
export type RareConfig = v.InferOutput<typeof rareSchema>;
