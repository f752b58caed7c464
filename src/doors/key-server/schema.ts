import * as v from "valibot";
import { maybe, nonNegativeInteger, positiveInteger, secret, setting } from "../../core/kinds.ts";

const providerSchema = v.object({
  issuer: v.pipe(v.string(), v.minLength(1), v.description("Address of the identity provider, as in its tokens")),
  jwks_uri: maybe(v.string(), "Address of its keys; by default its OpenID configuration is asked"),
  discovery_url: maybe(v.string(), "Address of its OpenID configuration, where that is not below `issuer`"),
  auto_discover: setting(v.boolean(), true, "Ask the OpenID configuration; without it `jwks_uri` must be there"),
  audiences: v.pipe(v.array(v.string()), v.minLength(1), v.description("Audiences an ID token may be made for")),
  allowed_domains: setting(v.array(v.string()), [], "Mail domains that may come in; empty means all"),
});

const policySchema = v.object({
  match: setting(
    v.object({
      domain: maybe(v.string(), "Domain of the mail address"),
      issuer: maybe(v.string(), "Identity provider"),
      email: maybe(v.string(), "Mail address; one that the provider says is not verified is none"),
      group: maybe(v.string(), "One of the claim `groups`"),
    }),
    {},
    "Whom the policy is for: all that is named must fit, as globs; naming nothing means everybody",
  ),
  scopes: setting(
    v.object({
      backends: setting(v.array(v.string()), [], "Backends they may use, as globs; empty or `*` means all"),
      tools: setting(
        v.array(v.string()),
        [],
        "Tools they may call, as globs on `tool` or `server:tool`; empty or `*` means all",
      ),
      rate_limit: setting(nonNegativeInteger, 0, "Requests per minute of one identity; 0 means no limit"),
    }),
    {},
    "What they may use; never what is for admins",
  ),
});

export const keyServerSchema = v.object({
  enabled: setting(v.boolean(), false, "Give short-lived gateway tokens for ID tokens, at `POST /auth/token`"),
  token_ttl_secs: setting(positiveInteger, 3_600, "Life of a gateway token in seconds"),
  max_tokens_per_identity: setting(positiveInteger, 5, "Tokens one identity may hold at once"),
  max_oidc_token_age_secs: setting(positiveInteger, 300, "Greatest age of an ID token in seconds, by its `iat`"),
  cleanup_interval_secs: setting(positiveInteger, 60, "Seconds between two looks for expired tokens"),
  oidc: setting(v.array(providerSchema), [], "Identity providers"),
  policies: setting(v.array(policySchema), [], "Who may use what; the first policy that fits decides, none refuses"),
  admin_token: maybe(secret, "Token for taking tokens back: a literal or `env:VAR`; without it nobody can"),
  delegated_bearer: setting(v.boolean(), false, "Take ID tokens themselves as bearer tokens too"),
});
export type KeyServerSettings = v.InferOutput<typeof keyServerSchema>;
