import * as v from "valibot";
import { maybe, secret, setting } from "../../core/kinds.ts";

const agentSchema = v.object({
  client_id: v.pipe(
    v.string(),
    v.minLength(1),
    v.description("The agent, as its tokens name it in `client_id`, or in `sub` where they have none"),
  ),
  name: setting(v.string(), "", "Name in logs and statistics; `client_id` by default"),
  hs256_secret: maybe(
    secret,
    "Secret of at least 32 bytes its tokens are signed with by HS256: a literal or `env:VAR`",
  ),
  rs256_public_key: maybe(v.string(), "Public key its tokens are signed with by RS256, in PEM form"),
  es256_public_key: maybe(v.string(), "Public key its tokens are signed with by ES256, in PEM form"),
  scopes: setting(
    v.array(v.string()),
    [],
    "What it may do: `tools:BACKEND:TOOL:LEVEL`, names as globs, levels `read`, `write`, `execute` or `*`",
  ),
  issuer: maybe(v.string(), "Issuer its tokens must name"),
  audience: maybe(v.string(), "Audience its tokens must name; by default one that they do name must be the gateway"),
});
export type AgentSettings = v.InferOutput<typeof agentSchema>;

export const agentAuthSchema = v.object({
  enabled: setting(v.boolean(), false, "Take tokens (JWT) that agents sign themselves"),
  agents: setting(v.array(agentSchema), [], "Agents that are known"),
});
