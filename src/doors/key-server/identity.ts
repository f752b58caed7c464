/** Who an ID token names, and what the policies of `key_server` give: the first that fits decides, none refuses. */
import { toolMatches } from "../../core/scope.ts";
import { tokenPrincipalOf } from "../../gateway/principals.ts";
import { escapeHidden } from "../../lib/escape-hidden.ts";
import { globMatches, intersectGlobs } from "../../lib/glob.ts";
import type { KeyHolder } from "../http/key-table.ts";
import { InsufficientTokenError } from "../tokens/insufficient-token-error.ts";
import type { VerifiedToken } from "../tokens/token-source.ts";
import type { KeyServerSettings } from "./schema.ts";

export interface Identity {
  readonly issuer: string;
  readonly subject: string;
  /** In lower case; `undefined` where the provider does not stand for it. */
  readonly email: string | undefined;
  readonly groups: readonly string[];
}

type PolicyScopes = KeyServerSettings["policies"][number]["scopes"];

/** Globs on backends, and on `tool` or `server:tool`; `undefined` is everything. */
export interface GrantedScope {
  readonly backends: readonly string[] | undefined;
  readonly tools: readonly string[] | undefined;
}

export function identityOf({ claims, subject }: VerifiedToken, issuer: string): Identity {
  const groups = [claims["groups"]].flat().filter((group) => typeof group === "string");
  return { issuer, subject, email: emailIn(claims), groups };
}

/** In lower case; `undefined` where the provider does not stand for it. */
export function emailIn({ email, email_verified: verified }: VerifiedToken["claims"]): string | undefined {
  const isVouchedFor = typeof email === "string" && verified !== false && verified !== "false";
  return isVouchedFor ? email.toLowerCase() : undefined;
}

/** Shown in logs, and what budgets by key go by. */
export function nameOf({ email, subject }: Identity): string {
  return escapeHidden((email ?? subject).slice(0, 100));
}

/**
 * What an identity gets under these settings, as far as it `asked` for it.
 * @throws InsufficientTokenError when that is nothing
 */
export function grantTo(identity: Identity, settings: KeyServerSettings, asked: GrantedScope): GrantedScope {
  return within(policyFor(identity, settings), asked);
}

function within(given: PolicyScopes, asked: GrantedScope): GrantedScope {
  const backends = intersectGlobs(asked.backends, unlessAll(given.backends));
  const tools = toolsWithin(unlessAll(given.tools), asked.tools);
  if (backends?.length === 0 || tools?.length === 0)
    throw new InsufficientTokenError("Nothing of the scope that is asked for is within what the policy gives", []);
  return { backends, tools };
}

/**
 * The caller an identity is with what it was granted, as far as these settings still give it; no admin by them.
 * @param validUntil calendar milliseconds
 * @throws InsufficientTokenError
 */
export function holderOfIdentity(
  identity: Identity,
  settings: KeyServerSettings,
  granted: GrantedScope,
  validUntil: number,
): KeyHolder {
  const given = policyFor(identity, settings);
  const { backends } = within(given, granted);
  const { tools } = granted;
  return {
    ratePerMinute: given.rate_limit,
    caller: {
      principal: tokenPrincipalOf(identity.issuer, identity.subject),
      name: nameOf(identity),
      admin: false,
      backends,
      allowedTools: unlessAll(given.tools),
      deniedTools: undefined,
      ...(tools !== undefined && { permits: (server, tool) => toolMatches(tools, server, tool) }),
      identity: {
        issuer: identity.issuer,
        subject: identity.subject,
        name: identity.email,
        groups: identity.groups,
        email: identity.email,
      },
      validUntil,
    },
  };
}

/** @throws InsufficientTokenError */
function policyFor(identity: Identity, { oidc, policies }: KeyServerSettings): PolicyScopes {
  const { issuer, email, groups } = identity;
  const domain = email?.split("@").slice(1).at(-1);
  const provider = oidc.find((one) => one.issuer === issuer);
  const domains = provider?.allowed_domains ?? [];
  if (domains.length > 0 && !domains.some((allowed) => fits(allowed, [domain])))
    throw new InsufficientTokenError("The mail domain of the identity is not one that may come in", []);
  const policy = policies.find(
    ({ match }) =>
      provider !== undefined &&
      fits(match.domain, [domain]) &&
      fits(match.email, [email]) &&
      (match.issuer === undefined || match.issuer === issuer) &&
      (match.group === undefined || groups.some((group) => globMatches(match.group as string, group))),
  );
  if (policy !== undefined) return policy.scopes;
  throw new InsufficientTokenError("The token is valid, but no policy gives its identity any rights", []);
}

/** Of mail addresses and domains, whose case says nothing. */
function fits(pattern: string | undefined, values: readonly (string | undefined)[]): boolean {
  if (pattern === undefined) return true;
  return values.some((value) => value !== undefined && globMatches(pattern.toLowerCase(), value));
}

function unlessAll(patterns: readonly string[]): readonly string[] | undefined {
  return patterns.length === 0 || patterns.includes("*") ? undefined : patterns;
}

/** As {@link intersectGlobs}; a pattern on `tool` alone holds for that tool of every server. */
function toolsWithin(
  given: readonly string[] | undefined,
  asked: readonly string[] | undefined,
): readonly string[] | undefined {
  if (given === undefined || asked === undefined) return given ?? asked;
  const ofAnyServer = asked.filter((pattern) => {
    const tool = pattern.slice(pattern.indexOf(":") + 1);
    return given.some((wider) => globMatches(wider, tool));
  });
  return [...new Set([...ofAnyServer, ...(intersectGlobs(asked, given) ?? [])])];
}
