/** Rules about issuers, users, TLS and the shared Redis; loaded for the files that have any of them. */
import type { Findings } from "./backends.ts";
import type { Path } from "./path.ts";
import { isAddress, notAnAddress, quoted } from "./rules.ts";
import type { ParsedConfig } from "./schema.ts";

export function checkAccess(config: ParsedConfig, found: Findings): void {
  checkCredentials(config, found);
  checkTls(config, found);
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
