/**
 * `{param}`, `{env.VAR}` and `{keychain.NAME}` in the texts of a capability. Text is replaced once, so that what a caller sends is never
 * read as a template; what it may contain depends on where it lands, which is why each place has its own function.
 */
import { isJsonObject, type Json, type JsonObject } from "../lib/json.ts";
import type { Environment } from "../runtime/process.ts";

const placeholder = /\{([A-Za-z_$][\w$.-]*)\}/g;
const onlyPlaceholder = /^\{([A-Za-z_$][\w$.-]*)\}$/;

/** What a placeholder can stand for. */
export interface Scope {
  readonly args: JsonObject;
  /** Names `schema.input` declares; braces around anything else are plain text, as in GraphQL. `undefined` when it declares none. */
  readonly declared: ReadonlySet<string> | undefined;
  readonly env: Environment;
  /** Values by name, read before anything is rendered. */
  readonly keychain: Environment;
}

/** Names in the text, each as often as it is there. */
export function placeholdersIn(text: string): string[] {
  return Array.from(text.matchAll(placeholder), ([, name]) => name as string);
}

/** Whether the text stands for one value as a whole, and for which. */
export function solePlaceholder(text: string): string | undefined {
  return onlyPlaceholder.exec(text)?.[1];
}

/** Replaces every placeholder; `undefined` as soon as one has no value. */
export function renderText(
  template: string,
  scope: Scope,
  encode: (value: string, name: string) => string = asItIs,
): string | undefined {
  if (!template.includes("{")) return template;
  let isComplete = true;
  const text = template.replace(placeholder, (whole, name: string) => {
    if (!isPlaceholder(name, scope)) return whole;
    const value = lookUp(name, scope);
    if (value === undefined || value === null) {
      isComplete = false;
      return "";
    }
    const plain = asText(value);
    return isSetting(name) ? plain : encode(plain, name);
  });
  return isComplete ? text : undefined;
}

/**
 * A template of any JSON shape: a text that is exactly one placeholder becomes the typed value, keys without value are
 * left out, and so is a mapping that has lost all of its keys.
 */
export function renderValue(template: Json, scope: Scope): Json | undefined {
  if (typeof template === "string") {
    const name = solePlaceholder(template);
    return name !== undefined && isPlaceholder(name, scope) ? lookUp(name, scope) : renderText(template, scope);
  }
  if (isJsonObject(template)) {
    const rendered: Record<string, Json> = {};
    for (const [key, inner] of Object.entries(template)) {
      const value = inner === undefined ? undefined : renderValue(inner, scope);
      if (value !== undefined) rendered[key] = value;
    }
    return Object.keys(rendered).length === 0 && Object.keys(template).length > 0 ? undefined : rendered;
  }
  if (Array.isArray(template))
    return template.map((item: Json) => renderValue(item, scope)).filter((item) => item !== undefined);
  return template;
}

function lookUp(name: string, { args, env, keychain }: Scope): Json | undefined {
  if (isEnv(name)) return env[name.slice("env.".length)] || undefined;
  if (isKeychain(name)) return keychain[name.slice("keychain.".length)] || undefined;
  return Object.hasOwn(args, name) ? args[name] : undefined;
}

function isPlaceholder(name: string, { declared }: Scope): boolean {
  return isSetting(name) || declared === undefined || declared.has(name);
}

/** Set by the operator, not by who calls. */
export function isSetting(name: string): boolean {
  return isEnv(name) || isKeychain(name);
}

export function isKeychain(name: string): boolean {
  return name.startsWith("keychain.");
}

export function isEnv(name: string): boolean {
  return name.startsWith("env.");
}

/** As it goes into an address, a form or a command; long numbers keep their digits. */
export function asText(value: Json): string {
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function asItIs(value: string): string {
  return value;
}
