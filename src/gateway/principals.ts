/** The identities that sessions are bound to, so that sessions end with the credential or the issuer behind them. */

import type { SessionTable } from "../clients/session.ts";
import type { Config } from "../config/schema.ts";
import { anonymousCaller, type Caller } from "../core/caller.ts";
import { sha256Hex } from "../runtime/digest.ts";

/** Tells one credential from another and nothing of either. */
export function principalOf(kind: "bearer" | "key" | "user", secret: string): string {
  return `${kind}:${sha256Hex(secret).slice(0, 32)}`;
}

/** Who a token is issued to: the same through all tokens that follow each other. */
export function tokenPrincipalOf(issuer: string, subject: string): string {
  return `${issuerPrefix(issuer)}${sha256Hex(subject).slice(0, 32)}`;
}

/** Who a client certificate names. */
export function certificatePrincipalOf(names: string): string {
  return `cert:${sha256Hex(names).slice(0, 32)}`;
}

/** An agent, by whatever token of its own. */
export function agentPrincipalOf(clientId: string): string {
  return `agent:${sha256Hex(clientId).slice(0, 32)}`;
}

const accessSections = ["auth", "mtls", "key_server", "agent_auth"] as const;
type Access = Pick<Config, (typeof accessSections)[number]>;

/** Ends the sessions that may not go on, and forgets who holds the others where their rights may be others now. */
export function reviewSessions(sessions: SessionTable, config: Config, changed: readonly string[]): void {
  const mayGoOn = sessionHolders(config);
  const rightsChanged = accessSections.some((section) => changed.includes(section));
  for (const session of sessions.all())
    if (!mayGoOn(session.principal) || isUnheld(session.caller, config)) sessions.close(session.id, session.principal);
    else if (rightsChanged) session.caller = undefined;
}

/** Whether the session is from before callers were held to grants: what it watches, nobody may have granted. */
function isUnheld(caller: Caller | undefined, { grants }: Config): boolean {
  return grants !== undefined && caller?.admin === false && caller.grants === undefined;
}

/** Whether a session may go on while these settings are in force. The client on stdio owns the process and always may. */
function sessionHolders({ auth, mtls, key_server, agent_auth }: Access): (principal: string) => boolean {
  const { enabled, bearer_token, api_keys, users, issuers } = auth;
  const byCertificate = mtls?.enabled === true && mtls.policies.length > 0;
  const prefixes = byCertificate ? ["cert:"] : [];
  const principals = new Set(["stdio"]);
  const mayGoOn = (principal: string) =>
    principals.has(principal) || prefixes.some((prefix) => principal.startsWith(prefix));
  if (!enabled && !byCertificate) {
    principals.add(anonymousCaller.principal);
    return mayGoOn;
  }
  principals.add("public");
  if (!enabled) return mayGoOn;
  if (bearer_token !== undefined) principals.add(principalOf("bearer", bearer_token));
  for (const { key } of api_keys) principals.add(principalOf("key", key));
  for (const { name, password } of users) principals.add(principalOf("user", `${name}:${password}`));
  const providers = key_server?.enabled === true ? key_server.oidc : [];
  for (const { issuer } of [...issuers, ...providers]) prefixes.push(issuerPrefix(issuer));
  if (agent_auth?.enabled === true)
    for (const { client_id } of agent_auth.agents) principals.add(agentPrincipalOf(client_id));
  return mayGoOn;
}

function issuerPrefix(issuer: string): string {
  return `jwt:${sha256Hex(issuer).slice(0, 16)}:`;
}
