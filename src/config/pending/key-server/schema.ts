import * as v from "valibot";
import { maybe, nonNegativeInteger, positiveInteger, secret, setting } from "../../../core/kinds.ts";

const issuerSchema = v.object({
  issuer: v.pipe(v.string(), v.minLength(1), v.description("Address of the identity provider, as in its tokens")),
  jwks_uri: maybe(v.string(), "Address of its keys"),
  discovery_url: maybe(v.string(), "Address of its OpenID configuration"),
  auto_discover: setting(v.boolean(), true, "Find the keys through the OpenID configuration"),
  audiences: v.pipe(v.array(v.string()), v.minLength(1), v.description("Audiences a token may be made for")),
  allowed_domains: setting(v.array(v.string()), [], "Mail domains that may log in; empty means all"),
});

const policySchema = v.object({
  match: setting(
    v.object({
      domain: maybe(v.string(), "Mail domain"),
      issuer: maybe(v.string(), "Identity provider"),
      email: maybe(v.string(), "Mail address"),
      group: maybe(v.string(), "Group"),
    }),
    {},
    "Identities the policy is for",
  ),
  scopes: setting(
    v.object({
      backends: setting(v.array(v.string()), [], "Backends they may use"),
      tools: setting(v.array(v.string()), [], "Tools they may call"),
      rate_limit: setting(nonNegativeInteger, 0, "Requests per minute; 0 means no limit"),
    }),
    {},
    "What they may use",
  ),
});

export const keyServerSchema = v.object({
  enabled: setting(v.boolean(), false, "Exchange tokens of an identity provider for short-lived gateway tokens"),
  token_ttl_secs: setting(positiveInteger, 3_600, "Life of a gateway token in seconds"),
  max_tokens_per_identity: setting(positiveInteger, 5, "Tokens one identity may hold at once"),
  max_oidc_token_age_secs: setting(positiveInteger, 300, "Greatest age in seconds of a token that is exchanged"),
  cleanup_interval_secs: setting(positiveInteger, 60, "Seconds between two looks for expired tokens"),
  oidc: setting(v.array(issuerSchema), [], "Identity providers"),
  policies: setting(v.array(policySchema), [], "Who may use what; the first policy that matches decides"),
  admin_token: maybe(secret, "Token for revoking tokens: a literal or `env:VAR`"),
  delegated_bearer: setting(v.boolean(), false, "Accept tokens of the identity providers directly"),
});
