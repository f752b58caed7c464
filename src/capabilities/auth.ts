/** The key of an API: where it is kept and how it is sent. It is read for every call, so that a renewed key needs no restart. */
import { isJsonObject } from "../lib/json.ts";
import { readText } from "../runtime/files.ts";
import { expandHome } from "../runtime/paths.ts";
import type { Environment } from "../runtime/process.ts";
import type { AuthSettings } from "./definition-schema.ts";
import { Refusal } from "./refusal.ts";

const maxKeyFileBytes = 65_536;

export type KeySource =
  | { readonly from: "environment"; readonly name: string }
  /** `field` is a dotted path into the JSON file. */
  | { readonly from: "file"; readonly path: string; readonly field: string }
  /** These two are not active yet. */
  | { readonly from: "keychain" }
  | { readonly from: "oauth" };

/** Reads `env:VAR`, `{env.VAR}`, `VAR`, `file:/path.json:field`; `undefined` when it is none of them: perhaps the key itself. */
export function keySource(key: string): KeySource | undefined {
  const variable = /^(?:env:(\w+)|\{env\.(\w+)\}|([A-Z][A-Z0-9_]*))$/.exec(key);
  const name = variable?.[1] ?? variable?.[2] ?? variable?.[3];
  if (name !== undefined) return { from: "environment", name };
  const file = /^file:(.+):([\w.-]+)$/.exec(key);
  if (file !== null) return { from: "file", path: file[1] as string, field: file[2] as string };
  if (/^\{?keychain[.:]/.test(key)) return { from: "keychain" };
  return key.startsWith("oauth:") ? { from: "oauth" } : undefined;
}

/** A header or query parameter to add, and the secret inside it, which must never be shown. */
export interface Credential {
  readonly in: "header" | "query";
  readonly name: string;
  readonly value: string;
  readonly secret: string;
}

/**
 * `undefined` when the capability needs no key, or can do without the one that is missing.
 * @throws Refusal naming the variable or file that has no key
 */
export async function credentialOf(auth: AuthSettings, env: Environment): Promise<Credential | undefined> {
  if (!usesKey(auth)) return undefined;
  const source = keySource(auth.key);
  if (source === undefined || source.from === "keychain" || source.from === "oauth") return undefined;
  const secret = source.from === "environment" ? env[source.name] : await keyInFile(source.path, source.field, env);
  if (secret === undefined || secret === "") {
    if (!auth.required) return undefined;
    throw source.from === "environment"
      ? new Refusal(`The key for this API is missing: the environment variable "${source.name}" is not set`, hint(auth))
      : new Refusal(`The key for this API is missing: "${source.path}" has no text at "${source.field}"`, hint(auth));
  }
  if (/[^\x20-\x7e]/.test(secret))
    throw new Refusal("The key for this API has characters that no header may have, such as a line end");
  if (auth.param !== undefined) return { in: "query", name: auth.param, value: secret, secret };
  return { in: "header", name: auth.header, value: `${prefixOf(auth)}${encoded(auth, secret)}`, secret };
}

export function usesKey(auth: AuthSettings): boolean {
  return auth.key !== "" && auth.type !== "none";
}

function prefixOf({ type, prefix }: AuthSettings): string {
  const word = prefix ?? (type === "basic" ? "Basic" : type === "api_key" ? "" : "Bearer");
  return word === "" ? "" : `${word} `;
}

/** Basic keys are kept in base64 by habit; one with a colon is still `user:password`. */
function encoded({ type }: AuthSettings, secret: string): string {
  return type === "basic" && secret.includes(":") ? btoa(secret) : secret;
}

async function keyInFile(path: string, field: string, env: Environment): Promise<string | undefined> {
  try {
    let value: unknown = JSON.parse(await readText(expandHome(path, env), maxKeyFileBytes));
    for (const part of field.split("."))
      value = isJsonObject(value) && Object.hasOwn(value, part) ? value[part] : undefined;
    return typeof value === "string" ? value : undefined;
  } catch {
    // The cause may quote the content of the file.
    return undefined;
  }
}

function hint({ description }: AuthSettings): string {
  return description || "Ask the operator of the gateway to set it";
}
