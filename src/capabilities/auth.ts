/** The key of an API, and how it is sent. */
import type { AuthSettings } from "./definition-schema.ts";
import { keySource, usesKey } from "./key-source.ts";
import type { OAuthTokens, TokenContext } from "./oauth-tokens.ts";
import { Refusal } from "./refusal.ts";
import { readSecret } from "./secrets.ts";

/** A header or query parameter to add, and the secret inside it, which must never be shown. */
export interface Credential {
  readonly in: "header" | "query";
  readonly name: string;
  readonly value: string;
  readonly secret: string;
  /** It came from a login and can be renewed. */
  readonly isToken: boolean;
}

export interface AuthContext extends TokenContext {
  readonly tokens: OAuthTokens;
}

/**
 * `undefined` when the provider needs no key, or can do without the one that is missing.
 * @throws Refusal naming the variable, file or login that has no key
 */
export async function credentialOf(auth: AuthSettings, context: AuthContext): Promise<Credential | undefined> {
  const source = usesKey(auth) ? keySource(auth.key) : undefined;
  if (source === undefined) return undefined;
  if (source.from === "oauth") return credential(auth, await context.tokens.get(source.provider, auth, context), true);
  const { secret, missing } = await readSecret(source, context.env, context.signal);
  if (secret !== undefined) return credential(auth, secret, false);
  if (!auth.required) return undefined;
  throw new Refusal(
    `The key for this API is missing: ${missing}`,
    auth.description || "Ask the operator of the gateway to set it",
    { outcome: "unsent" },
  );
}

function credential(auth: AuthSettings, secret: string, isToken: boolean): Credential {
  if (/[^\x20-\x7e]/.test(secret))
    throw new Refusal("The key for this API has characters that no header may have, such as a line end", undefined, {
      outcome: "unsent",
    });
  if (auth.param !== undefined) return { in: "query", name: auth.param, value: secret, secret, isToken };
  return {
    in: "header",
    name: auth.header,
    value: `${prefixOf(auth)}${encoded(auth, secret)}`,
    secret,
    isToken,
  };
}

function prefixOf({ type, prefix }: AuthSettings): string {
  const word = prefix ?? (type === "basic" ? "Basic" : type === "api_key" ? "" : "Bearer");
  return word === "" ? "" : `${word} `;
}

/** Basic keys are kept in base64 by habit; one with a colon is still `user:password`. */
function encoded({ type }: AuthSettings, secret: string): string {
  return type === "basic" && secret.includes(":") ? btoa(secret) : secret;
}
