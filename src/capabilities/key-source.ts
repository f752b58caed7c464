/** Where a key is kept, as `auth.key` writes it down. Never the key itself. */
import type { AuthSettings } from "./definition-schema.ts";

export type KeySource =
  | { readonly from: "environment"; readonly name: string }
  /** `field` is a dotted path into the JSON file. */
  | { readonly from: "file"; readonly path: string; readonly field: string }
  | { readonly from: "keychain"; readonly name: string }
  /** An access token that is renewed by itself. */
  | { readonly from: "oauth"; readonly provider: string };

/**
 * Reads `env:VAR`, `{env.VAR}`, `${VAR}`, `VAR`, `file:/path.json:field`, `keychain:NAME`, `{keychain.NAME}` and `oauth:NAME`;
 * `undefined` when it is none of them: perhaps the key itself.
 */
export function keySource(key: string): KeySource | undefined {
  const variable = /^(?:env:(\w+)|\{env\.(\w+)\}|\$\{(\w+)\}|([A-Z][A-Z0-9_]*))$/.exec(key);
  const name = variable?.slice(1).find((found) => found !== undefined);
  if (name !== undefined) return { from: "environment", name };
  const file = /^file:(.+):([\w.-]+)$/.exec(key);
  if (file !== null) return { from: "file", path: file[1] as string, field: file[2] as string };
  const keychain = /^(?:keychain:([\w.@-]+)|\{keychain\.([\w.@-]+)\})$/.exec(key);
  const item = keychain?.[1] ?? keychain?.[2];
  // The tools that read a keychain take it as an argument.
  if (item !== undefined && !item.startsWith("-")) return { from: "keychain", name: item };
  const oauth = /^oauth:([A-Za-z0-9_-]+)$/.exec(key);
  return oauth === null ? undefined : { from: "oauth", provider: oauth[1] as string };
}

export function usesKey(auth: AuthSettings): boolean {
  return auth.key !== "" && auth.type !== "none";
}
