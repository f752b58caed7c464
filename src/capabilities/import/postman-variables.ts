/**
 * `{{name}}` in a Postman collection. What looks like a secret, and what the host of an address needs, is the operator's:
 * `{env.COLLECTION_NAME}`, so that no collection can ask for what belongs to another or to nobody. Everything else is an
 * argument, with the collection's value as its default. The value of a secret is never looked at.
 */
import { isJsonObject, type Json, type JsonObject } from "../../lib/json.ts";
import { variableName } from "./imported.ts";

const reference = /\{\{([^{}]{1,120})\}\}/g;
/** Values may have references too: so many of them, inside each other, for one text. */
const maxDepth = 5;
const maxReferences = 1_000;

export class PostmanVariables {
  readonly #values = new Map<string, string>();
  readonly #hidden = new Set<string>();
  readonly #secrets = new Set<string>();
  readonly #settings = new Set<string>();
  readonly #source: string;
  readonly #authKey: string | undefined;

  /**
   * @param source what the collection is called: it stands before every variable of the operator
   * @param authKey where the key is, instead of a variable named after the collection's own
   */
  constructor(variables: Json | undefined, source: string, authKey: string | undefined) {
    this.#source = source;
    this.#authKey = authKey;
    for (const variable of Array.isArray(variables) ? (variables as Json[]) : []) {
      if (!isJsonObject(variable) || variable["disabled"] === true) continue;
      const name = variable["key"] ?? variable["id"];
      if (typeof name !== "string") continue;
      const { type, value } = variable;
      if (type === "secret" || isSecretName(name) || isSecretValue(value)) this.#hidden.add(name);
      else if (["string", "number", "boolean"].includes(typeof value)) this.#values.set(name, String(value));
    }
  }

  /** Environment variables that are used until now. */
  get all(): string[] {
    return [...this.#settings, ...this.#secrets];
  }

  /** Those that stand for secrets of the collection. */
  get secrets(): string[] {
    return [...this.#secrets].sort();
  }

  /** Where the key is: a variable named as the text where that is one reference, or else as `fallback` says. */
  keyFor(text: string, fallback: string): string {
    return this.#authKey ?? `env:${this.#secret(referenceOf(text) ?? fallback)}`;
  }

  /** The text where it is the operator's: known values in place, `{env.NAME}` for what is not known. */
  settle(text: string): string {
    let left = maxReferences;
    const replaced = (inner: string, depth: number): string =>
      inner.replace(reference, (_, padded: string) => {
        left -= 1;
        if (left < 0) throw new Error("its variables refer to each other too often");
        const value = this.#values.get(padded.trim());
        return value === undefined || value === "" || depth >= maxDepth
          ? this.#setting(padded.trim())
          : replaced(value, depth + 1);
      });
    return replaced(text, 0);
  }

  /** The beginning of an address, settled; a variable that is a path, as generated collections have it, is not known. */
  host(text: string): string {
    const settled = this.settle(text);
    const name = referenceOf(text);
    return name !== undefined && settled.startsWith("/") ? this.#setting(name) : settled;
  }

  /** The text where it is the caller's: `{name}` for each reference, which `declare` gives a name as an argument. */
  template(text: string, declare: (name: string, value: string | undefined) => string): string {
    return text.replace(reference, (_, padded: string) => {
      const name = padded.trim();
      if (this.#isSecret(name)) return this.#setting(name);
      const value = this.#values.get(name);
      return `{${declare(name, value === undefined ? undefined : this.#plain(value))}}`;
    });
  }

  /** `{env.NAME}` for a secret that stands in the collection under this name. */
  hide(name: string): string {
    return `{env.${this.#secret(name)}}`;
  }

  #isSecret(name: string): boolean {
    return this.#hidden.has(name) || isSecretName(name);
  }

  #secret(name: string): string {
    const variable = variableName(this.#source, name);
    this.#secrets.add(variable);
    return variable;
  }

  #setting(name: string): string {
    if (this.#isSecret(name)) return this.hide(name);
    const variable = variableName(this.#source, name);
    this.#settings.add(variable);
    return `{env.${variable}}`;
  }

  /** A value to show as a default: none where a part of it is not known, or secret. */
  #plain(value: string): string | undefined {
    const settled = this.settle(value);
    return settled.includes("{env.") ? undefined : settled;
  }
}

/** The name, where the text is one reference as a whole. */
export function referenceOf(text: string): string | undefined {
  return /^\{\{([^{}]{1,120})\}\}$/.exec(text.trim())?.[1]?.trim();
}

export function hasReference(text: string): boolean {
  return text.search(reference) >= 0;
}

export function isSecretName(name: string): boolean {
  return /token|secret|passw|passphrase|api[-_ ]?key|auth(?!or)|credential|private[-_ ]?key|session|cookie|signature|^key$|(^|[-_])(jwt|pwd|sid)($|[-_])/i.test(
    name,
  );
}

const word = /[\w+/=.-]{8,}/g;

/** Whether a text has a word in it that looks like a secret. */
export function isSecretValue(value: unknown): boolean {
  return typeof value === "string" && (/^(Bearer|Basic) /.test(value) || (value.match(word) ?? []).some(looksSecret));
}

export function withoutSecrets(text: string): string {
  return text.replace(word, (each) => (looksSecret(each) ? "…" : each));
}

/** The prefixes of well-known keys, and long words of letters and digits that are no UUID. */
function looksSecret(text: string): boolean {
  if (/^([srp]k[-_]|gh[opsu]_|github_pat_|glpat-|xox[a-z]-|AKIA|AIza|eyJ|SG\.)/.test(text)) return true;
  if (/^[0-9a-f]{32,}$/i.test(text)) return true;
  return /^[\w+/=-]{32,}$/.test(text) && [/[a-z]/, /[A-Z]/, /\d.*\d.*\d/].every((kind) => kind.test(text));
}

/** Whether a value looks like a secret, or holds something that does or is called so. */
export function hasSecret(value: Json): boolean {
  if (isSecretValue(value)) return true;
  if (Array.isArray(value)) return value.some((item: Json) => hasSecret(item));
  if (!isJsonObject(value)) return false;
  return Object.entries(value as JsonObject).some(
    ([name, inner]) => isSecretName(name) || (inner !== undefined && hasSecret(inner)),
  );
}
