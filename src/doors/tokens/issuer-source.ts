/** Access tokens of `auth.issuers`. */
import { identityOf } from "../key-server/identity.ts";
import { withRole } from "../roles/role-of-identity.ts";
import type { IssuerSettings } from "../schema.ts";
import { holderOf } from "./rights-of-claims.ts";
import { ownAudiences, publicKeyAlgorithms, type TokenKey, type TokenRules, type TokenSource } from "./token-source.ts";

const secretAlgorithms = ["HS256", "HS384", "HS512"];

export function issuerSource(settings: IssuerSettings, rules: TokenRules): TokenSource {
  const { issuer, audiences, secret } = settings;
  return {
    checks: {
      name: issuer,
      issuer,
      audiences: audiences.length > 0 ? audiences : ownAudiences(rules),
      algorithms: secret === undefined ? publicKeyAlgorithms : secretAlgorithms,
      key: keyOf(settings),
      toleranceSeconds: 30,
    },
    isNamedBy: ({ iss }) => iss === issuer,
    holderOf: (token) => withRole(holderOf(token, settings), identityOf(token, issuer), rules.control_plane),
  };
}

function keyOf({ issuer, secret, public_key, jwks_uri }: IssuerSettings): TokenKey {
  if (secret !== undefined) return { secret };
  if (public_key !== undefined) return { publicKey: public_key };
  return { issuer, jwksUri: jwks_uri, discoveryUrl: undefined };
}
