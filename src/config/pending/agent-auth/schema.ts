import * as v from "valibot";
import { maybe, secret, setting } from "../../../core/kinds.ts";

const agentSchema = v.object({
  client_id: v.pipe(v.string(), v.minLength(1), v.description("Identity of the agent, as in its tokens")),
  name: setting(v.string(), "", "Name in logs and statistics"),
  hs256_secret: maybe(secret, "Shared secret its tokens are signed with: a literal or `env:VAR`"),
  rs256_public_key: maybe(v.string(), "Public key its tokens are signed with, in PEM form"),
  scopes: setting(v.array(v.string()), [], "What the agent may do"),
  issuer: maybe(v.string(), "Issuer its tokens must name"),
  audience: maybe(v.string(), "Audience its tokens must name"),
});

export const agentAuthSchema = v.object({
  enabled: setting(v.boolean(), false, "Ask agents for signed tokens"),
  agents: setting(v.array(agentSchema), [], "Agents that are known"),
});
