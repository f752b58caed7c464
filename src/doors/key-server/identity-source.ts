/** ID tokens of the providers of `key_server` (OpenID Connect Core 3.1.3.7). */
import { publicKeyAlgorithms, type TokenSource } from "../tokens/token-source.ts";
import { holderOfIdentity, identityOf } from "./identity.ts";
import type { KeyServerSettings } from "./schema.ts";

const everything = { backends: undefined, tools: undefined };

export function identitySources(settings: KeyServerSettings): TokenSource[] {
  if (!settings.enabled) return [];
  return settings.oidc.map(({ issuer, audiences, jwks_uri, discovery_url }) => ({
    checks: {
      name: issuer,
      issuer,
      audiences,
      algorithms: publicKeyAlgorithms,
      key: { issuer, jwksUri: jwks_uri, discoveryUrl: discovery_url },
      toleranceSeconds: 30,
      maxAgeSeconds: settings.max_oidc_token_age_secs,
    },
    isNamedBy: ({ iss }) => iss === issuer,
    holderOf: (token) => holderOfIdentity(identityOf(token, issuer), settings, everything, token.validUntil),
  }));
}
