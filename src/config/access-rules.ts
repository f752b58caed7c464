/** Rules about issuers, users, the key server, agents, roles, TLS, the tunnel and the shared Redis; loaded for the files that have any of them. */
import { parseAgentScope } from "../core/agent-scope.ts";
import type { Findings } from "./backends.ts";
import type { Path } from "./path.ts";
import { isAddress, notAnAddress, quoted } from "./rules.ts";
import type { ParsedConfig } from "./schema.ts";

export function checkAccess(config: ParsedConfig, found: Findings): void {
  checkCredentials(config, found);
  checkKeyServer(config, found);
  checkAgents(config, found);
  checkRoles(config, found);
  checkTls(config, found);
  checkTunnel(config, found);
}

/** Once the address is what it stands for. It may hold a password, so it is not quoted. */
export function checkSharedState({ shared_state }: ParsedConfig, found: Findings): void {
  const url = shared_state?.redis_url ?? "";
  // A reference that leads nowhere is said already.
  if (url.startsWith("env:") || (/^rediss?:\/\/[^/]/.test(url) && URL.canParse(url))) return;
  found.problems.push({
    path: ["shared_state", "redis_url"],
    text: 'must be an address such as "redis://user:password@host:6379/0", or "rediss://…" for TLS; special characters of the password percent-encoded',
  });
}

function checkCredentials({ auth, server }: ParsedConfig, found: Findings): void {
  for (const [at, { name }] of auth.users.entries())
    if (name.includes(":"))
      found.problems.push({ path: ["auth", "users", at, "name"], text: 'has ":", which ends the name in HTTP Basic' });
  for (const [at, issuer] of auth.issuers.entries()) {
    const path: Path = ["auth", "issuers", at];
    const keys = (["jwks_uri", "public_key", "secret"] as const).filter((key) => issuer[key] !== undefined);
    if (keys.length > 1) found.problems.push({ path, text: `has ${keys.map(quoted).join(" and ")}: keep one of them` });
    if (keys.length === 0 && !isAddress(issuer.issuer)) {
      const text = 'is no address to find keys at: set "jwks_uri", "public_key" or "secret"';
      found.problems.push({ path: [...path, "issuer"], text });
    }
    if (issuer.jwks_uri !== undefined && !isAddress(issuer.jwks_uri))
      found.problems.push({ path: [...path, "jwks_uri"], text: notAnAddress(issuer.jwks_uri) });
    if (issuer.audiences.length === 0 && server.public_url === undefined)
      found.problems.push({
        path,
        text: 'needs "audiences", or "server.public_url" to make them from: tokens made for others must be refused',
      });
    if (issuer.rules.length === 0)
      found.warnings.push({ path, text: 'has no "rules": none of its tokens gives any rights' });
    if (auth.issuers.findIndex((other) => other.issuer === issuer.issuer) < at)
      found.problems.push({ path: [...path, "issuer"], text: "is there already: put its rules together" });
  }
}

function checkKeyServer({ auth, key_server }: ParsedConfig, found: Findings): void {
  if (key_server?.enabled !== true) return;
  const { oidc, policies, delegated_bearer } = key_server;
  const path: Path = ["key_server"];
  const warn = (text: string) => found.warnings.push({ path, text });
  if (!auth.enabled) warn('gives out tokens that nobody needs: "auth" is not enabled');
  if (oidc.length === 0) warn('has no "oidc": nobody can get a token');
  if (policies.length === 0) warn('has no "policies": nobody gets any rights');
  for (const [at, { issuer, jwks_uri, discovery_url, auto_discover }] of oidc.entries()) {
    const place: Path = [...path, "oidc", at];
    const wrong = (text: string, key = "issuer") => found.problems.push({ path: [...place, key], text });
    for (const [key, address] of Object.entries({ jwks_uri, discovery_url }))
      if (address !== undefined && !isAddress(address)) wrong(notAnAddress(address), key);
    if (jwks_uri === undefined && !auto_discover) wrong('is false, and there is no "jwks_uri"', "auto_discover");
    else if (jwks_uri === undefined && discovery_url === undefined && !isAddress(issuer))
      wrong('is no address to find keys at: set "jwks_uri" or "discovery_url"');
    if (oidc.findIndex((other) => other.issuer === issuer) < at) wrong("is there already");
    if (delegated_bearer && auth.issuers.some((other) => other.issuer === issuer))
      wrong('is one of "auth.issuers" too: with "delegated_bearer" its tokens would have two sorts of rights');
  }
}

function checkAgents({ auth, agent_auth }: ParsedConfig, found: Findings): void {
  if (agent_auth?.enabled !== true) return;
  const { agents } = agent_auth;
  const path: Path = ["agent_auth"];
  if (!auth.enabled)
    found.problems.push({
      path,
      text: 'is enabled while "auth" is not, so that everybody comes in without a token: set "auth.enabled"',
    });
  if (agents.length === 0) found.warnings.push({ path, text: 'has no "agents": no token of an agent is taken' });
  for (const [at, agent] of agents.entries()) {
    const place: Path = [...path, "agents", at];
    if (!agent.hs256_secret && !agent.rs256_public_key && !agent.es256_public_key)
      found.problems.push({ path: place, text: 'needs "hs256_secret", "rs256_public_key" or "es256_public_key"' });
    if (agents.findIndex((other) => other.client_id === agent.client_id) < at)
      found.problems.push({ path: [...place, "client_id"], text: "is there already" });
    if (agent.scopes.length === 0) found.warnings.push({ path: place, text: 'has no "scopes": it may do nothing' });
    for (const [of, scope] of agent.scopes.entries())
      if (parseAgentScope(scope) === undefined)
        found.problems.push({
          path: [...place, "scopes", of],
          text: 'must be "tools:BACKEND:TOOL:LEVEL", with the level read, write, execute or *',
        });
  }
}

/** A role for nobody is a typing mistake more often than not. */
function checkRoles({ auth, key_server, control_plane }: ParsedConfig, found: Findings): void {
  const rules = control_plane?.role_mapping.rules ?? [];
  const issuers = [...auth.issuers, ...(key_server?.enabled === true ? key_server.oidc : [])].map((one) => one.issuer);
  for (const [at, { issuer }] of rules.entries()) {
    const path: Path = ["control_plane", "role_mapping", "rules", at, "issuer"];
    if (!issuers.includes(issuer))
      found.warnings.push({
        path,
        text: 'is none of "auth.issuers" or "key_server.oidc": the rule gives nobody a role',
      });
    const isIn = (one: (typeof rules)[number]) => one.issuer === issuer && !one.group && !one.email && !one.domain;
    if (rules.findIndex(isIn) !== -1 && rules.findIndex(isIn) < at)
      found.warnings.push({ path, text: "never decides: a rule before it fits all tokens of its issuer" });
  }
}

function checkTls({ mtls }: ParsedConfig, found: Findings): void {
  if (mtls?.enabled !== true) return;
  const needs = (key: "server_cert" | "server_key" | "ca_cert", why: string) => {
    if (mtls[key] === "") found.problems.push({ path: ["mtls"], text: `needs "${key}", ${why}` });
  };
  needs("server_cert", "a PEM file");
  needs("server_key", "a PEM file");
  if (mtls.require_client_cert) needs("ca_cert", 'to know clients by, or "require_client_cert: false" for TLS alone');
  else if (mtls.policies.length > 0) needs("ca_cert", 'to know clients by, for "policies"');
  if (mtls.crl_path !== undefined) needs("ca_cert", 'whose certificates are in "crl_path"');
}

const funnelPorts: readonly number[] = [443, 8443, 10_000];

function checkTunnel({ tunnel, auth, mtls }: ParsedConfig, found: Findings): void {
  if (tunnel?.enabled !== true) return;
  const { mode, https_port } = tunnel;
  const wrong = (key: string, text: string) => found.problems.push({ path: ["tunnel", key], text });
  if (mtls?.enabled === true) wrong("enabled", 'works only without "mtls": Tailscale is the one that speaks TLS');
  if (mode === "funnel" && !auth.enabled)
    wrong("mode", 'would let everybody on the internet in: set "auth.enabled", or "serve" for the tailnet alone');
  if (mode === "funnel" && !funnelPorts.includes(https_port))
    wrong("https_port", `must be one of ${funnelPorts.join(", ")} for "funnel"`);
  if (mode === "serve" && !auth.enabled)
    found.warnings.push({
      path: ["tunnel"],
      text: 'lets every device of the tailnet in with all rights, because "auth" is not enabled',
    });
}
