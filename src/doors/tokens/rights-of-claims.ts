/** From the claims of a verified token to a caller: the first rule of its issuer that fits decides, none refuses. */
import type { CallerIdentity } from "../../core/caller.ts";
import { tokenPrincipalOf } from "../../gateway/principals.ts";
import { escapeHidden } from "../../lib/escape-hidden.ts";
import { globMatches } from "../../lib/glob.ts";
import { isJsonObject, type Json, type JsonObject } from "../../lib/json.ts";
import type { KeyHolder } from "../http/key-table.ts";
import { emailIn } from "../key-server/identity.ts";
import type { ClaimRule, IssuerSettings } from "../schema.ts";
import { InsufficientTokenError } from "./insufficient-token-error.ts";
import type { VerifiedToken } from "./token-source.ts";

/** @throws InsufficientTokenError */
export function holderOf({ claims, subject, validUntil }: VerifiedToken, settings: IssuerSettings): KeyHolder {
  const scopes = scopesOf(claims);
  const missing = settings.required_scopes.filter((scope) => !scopes.includes(scope));
  if (missing.length > 0)
    throw new InsufficientTokenError(`The token lacks the scope "${missing.join(" ")}"`, settings.required_scopes);
  const rule = settings.rules.find((candidate) => fits(candidate, claims));
  if (rule === undefined)
    throw new InsufficientTokenError("The token is valid, but no rule gives it any rights", settings.required_scopes);
  return {
    ratePerMinute: rule.rate_limit,
    caller: {
      principal: tokenPrincipalOf(settings.issuer, subject),
      name: escapeHidden(subject.slice(0, 100)),
      admin: rule.admin,
      backends: rule.backends.includes("*") ? undefined : rule.backends,
      allowedTools: rule.allowed_tools,
      deniedTools: rule.denied_tools,
      identity: identityOf(claims, subject, settings.issuer),
      validUntil,
      ...(rule.profile !== undefined && { boundProfile: rule.profile }),
    },
  };
}

/** What OpenID Connect Core 5.1 and most issuers call it; of an odd type it is nothing. */
function identityOf(claims: JsonObject, subject: string, issuer: string): CallerIdentity {
  const { name, groups } = claims;
  const email = emailIn(claims);
  const listed = (Array.isArray(groups) ? groups : []).filter((group) => typeof group === "string");
  return {
    issuer,
    subject,
    ...(typeof name === "string" && { name: name.slice(0, 200) }),
    ...(listed.length > 0 && { groups: listed }),
    ...(email !== undefined && { email }),
  };
}

function fits({ claim, value }: ClaimRule, claims: JsonObject): boolean {
  if (claim === undefined) return true;
  if (claim === "scope" || claim === "scp") return scopesOf(claims).some((scope) => globMatches(value, scope));
  const found = claimAt(claims, claim);
  const values = Array.isArray(found) ? found : [found];
  return values.some((one) => ["string", "number", "boolean"].includes(typeof one) && globMatches(value, String(one)));
}

/** Names with dots are common, as `https://example.com/roles`: the whole name goes first. */
function claimAt(claims: JsonObject, name: string): Json | undefined {
  if (Object.hasOwn(claims, name)) return claims[name];
  let value: Json | undefined = claims;
  for (const step of name.split("."))
    value = isJsonObject(value) && Object.hasOwn(value, step) ? value[step] : undefined;
  return value;
}

/** `scope` of RFC 9068, or `scp`, which some issuers make a list of. */
function scopesOf(claims: JsonObject): readonly string[] {
  return [claims["scope"], claims["scp"]].flatMap((value) =>
    typeof value === "string" ? value.split(" ") : Array.isArray(value) ? value.map(String) : [],
  );
}
