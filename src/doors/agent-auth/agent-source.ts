/** Tokens that agents sign themselves: a source for each key, so that none is used by another algorithm than its own. */
import { type AgentScope, parseAgentScope } from "../../core/agent-scope.ts";
import { agentPrincipalOf } from "../../gateway/principals.ts";
import { escapeHidden } from "../../lib/escape-hidden.ts";
import { globMatches, intersectGlobs } from "../../lib/glob.ts";
import { isJsonObject, type JsonObject } from "../../lib/json.ts";
import type { KeyHolder } from "../http/key-table.ts";
import {
  ownAudiences,
  type TokenKey,
  type TokenRules,
  type TokenSource,
  type VerifiedToken,
} from "../tokens/token-source.ts";
import type { AgentSettings } from "./schema.ts";

/** The definition of a tool; `undefined` for one that its server never listed. */
export type ToolOf = (server: string, tool: string) => JsonObject | undefined;

export function agentSources(rules: TokenRules, toolOf: ToolOf): TokenSource[] {
  const { agent_auth } = rules;
  if (agent_auth?.enabled !== true) return [];
  return agent_auth.agents.flatMap((agent) => {
    const { client_id, issuer, audience } = agent;
    return keysOf(agent).map(
      ([algorithm, key]): TokenSource => ({
        checks: {
          name: client_id,
          issuer,
          audiences: audience === undefined ? ownAudiences(rules) : [audience],
          mayOmitAudience: audience === undefined,
          algorithms: [algorithm],
          key,
          toleranceSeconds: 60,
        },
        isNamedBy: (claims, alg) => (claims["client_id"] ?? claims["sub"]) === client_id && alg === algorithm,
        holderOf: (token) => holderOf(token, agent, toolOf),
      }),
    );
  });
}

function keysOf({ hs256_secret, rs256_public_key, es256_public_key }: AgentSettings): [string, TokenKey][] {
  const keys: [string, TokenKey][] = [];
  if (hs256_secret) keys.push(["HS256", { secret: hs256_secret }]);
  if (rs256_public_key) keys.push(["RS256", { publicKey: rs256_public_key }]);
  if (es256_public_key) keys.push(["ES256", { publicKey: es256_public_key }]);
  return keys;
}

/** The scopes of the configuration; those a token names can only narrow them. */
function holderOf({ claims, validUntil }: VerifiedToken, agent: AgentSettings, toolOf: ToolOf): KeyHolder {
  const given = scopesIn(agent.scopes);
  const own = ownScopes(claims);
  return {
    ratePerMinute: 0,
    caller: {
      principal: agentPrincipalOf(agent.client_id),
      name: escapeHidden((agent.name || agent.client_id).slice(0, 100)),
      agent: agent.client_id,
      admin: false,
      backends: intersectGlobs(backendsOf(given), own && backendsOf(own)),
      allowedTools: undefined,
      deniedTools: undefined,
      permits: (server, tool) => [given, own ?? given].every((scopes) => cover(scopes, server, tool, toolOf)),
      identity: { issuer: undefined, subject: `agent:${agent.client_id}`, name: agent.name || undefined },
      validUntil,
    },
  };
}

function backendsOf(scopes: readonly AgentScope[]): readonly string[] {
  return scopes.map(({ backend }) => backend);
}

function scopesIn(texts: readonly string[]): AgentScope[] {
  return texts.flatMap((text) => parseAgentScope(text) ?? []);
}

/** `scope` as in RFC 9068, or a list; `undefined` when it says nothing of tools. */
function ownScopes({ scope }: JsonObject): AgentScope[] | undefined {
  const texts = (Array.isArray(scope) ? scope : String(scope ?? "").split(" ")).map(String);
  const ofTools = texts.filter((text) => text.startsWith("tools:"));
  return ofTools.length === 0 ? undefined : scopesIn(ofTools);
}

function cover(scopes: readonly AgentScope[], server: string, tool: string, toolOf: ToolOf): boolean {
  return scopes.some(
    ({ backend, tool: name, level }) =>
      globMatches(backend, server) && globMatches(name, tool) && isWithin(level, toolOf(server, tool)),
  );
}

/** What a server says of its own tools is its word alone, as far as it is trusted for that; an unknown tool says nothing. */
function isWithin(level: AgentScope["level"], definition: JsonObject | undefined): boolean {
  if (level === "execute" || level === "*") return true;
  const said = definition?.["annotations"];
  if (!isJsonObject(said)) return false;
  return said["readOnlyHint"] === true || (level === "write" && said["destructiveHint"] === false);
}
