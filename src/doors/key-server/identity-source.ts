/** ID tokens of the providers of `key_server` (OpenID Connect Core 3.1.3.7). */
import { withRole } from "../roles/role-of-identity.ts";
import { publicKeyAlgorithms, type TokenRules, type TokenSource } from "../tokens/token-source.ts";
import { holderOfIdentity, identityOf } from "./identity.ts";

const everything = { backends: undefined, tools: undefined };

type Rules = Pick<TokenRules, "key_server" | "control_plane">;

export function identitySources({ key_server: settings, control_plane }: Rules): TokenSource[] {
  if (settings?.enabled !== true) return [];
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
    holderOf(token) {
      const identity = identityOf(token, issuer);
      const holder = holderOfIdentity(identity, settings, everything, token.validUntil);
      return withRole(holder, identity, control_plane);
    },
  }));
}
