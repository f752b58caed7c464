/** Takes the secrets out of entries that are about to be written into a configuration, and gives each a variable instead. */
import { joinCommand } from "../config/command-line.ts";
import type { Settings } from "../config/path.ts";
import { variableName } from "./client-references.ts";
import { commandWords, entrySecrets, entryUrl, textsOf } from "./found-server.ts";

/** Shorter texts stand in too many places to be replaced wherever they do. */
const shortestReplaced = 8;

/** The variables that have been given out, by name; filled by {@link SecretVariables.takeOut}. */
export class SecretVariables {
  readonly values = new Map<string, string>();
  readonly #taken: (name: string) => string | undefined;

  /** `knownValue` tells what a variable is already, for those that must not be changed. */
  constructor(knownValue: (name: string) => string | undefined) {
    this.#taken = knownValue;
  }

  /** The entry with `${VAR}` in place of every secret. A text that refers to variables already is left alone. */
  takeOut(server: string, entry: Settings): Settings {
    const prefix = variableName(server);
    const changed: Record<string, unknown> = { ...entry };
    const env = this.#eachText(entry["env"], (name, value) =>
      entrySecrets({ env: { [name]: value } }).length === 0
        ? value
        : this.#reference([name, `${prefix}_${variableName(name)}`], value),
    );
    const headers = this.#eachText(entry["headers"], (name, value) => {
      if (entrySecrets({ headers: { [name]: value } }).length === 0) return value;
      const [, scheme = "", credentials = value] = /^(\w+ +)(\S.*)$/.exec(value) ?? [];
      const isToken = name.toLowerCase() === "authorization";
      const own = isToken ? `${prefix}_TOKEN` : variableName(name);
      return scheme + this.#reference([own, `${prefix}_${variableName(name)}`], credentials);
    });
    if (env !== undefined) changed["env"] = env;
    if (headers !== undefined) changed["headers"] = headers;
    const url = entryUrl(entry);
    if (url !== undefined) changed["http_url"] = this.#inUrl(prefix, url);
    else {
      const words = commandWords(entry);
      const clean = this.#inWords(prefix, words);
      if (clean.some((word, at) => word !== words[at])) changed["command"] = joinCommand(clean);
    }
    return changed;
  }

  #eachText(map: unknown, change: (name: string, value: string) => string): Record<string, string> | undefined {
    const entries = Object.entries(textsOf(map));
    if (entries.length === 0) return undefined;
    return Object.fromEntries(entries.map(([name, value]) => [name, isReference(value) ? value : change(name, value)]));
  }

  #inUrl(prefix: string, url: string): string {
    if (isReference(url)) return url;
    return this.#replaced(this.#withoutLogin(prefix, url), entrySecrets({ http_url: url }), [`${prefix}_URL_KEY`]);
  }

  /** `postgres://user:password@host` keeps neither; a user alone is no secret. */
  #withoutLogin(prefix: string, text: string): string {
    return text.replace(
      /(:\/\/)([^/@?#\s:]*:[^/@?#\s]+)@/,
      (_all, start: string, login: string) => `${start}${this.#reference([`${prefix}_LOGIN`], login)}@`,
    );
  }

  #inWords(prefix: string, words: readonly string[]): string[] {
    const secrets = entrySecrets({ command: joinCommand(words) });
    return words.map((word, at) => {
      if (at === 0 || isReference(word)) return word;
      const flag = /^--?([\w-]+)=/.exec(word)?.[1] ?? /^--?([\w-]+)$/.exec(words[at - 1] ?? "")?.[1];
      return this.#replaced(this.#withoutLogin(prefix, word), secrets, [`${prefix}_${variableName(flag ?? "secret")}`]);
    });
  }

  #replaced(text: string, secrets: readonly string[], names: readonly string[]): string {
    const longestFirst = secrets.filter(({ length }) => length >= shortestReplaced).sort((a, b) => b.length - a.length);
    const found = longestFirst.find((secret) => text.includes(secret));
    if (found === undefined) return text;
    const [before, ...behind] = text.split(found);
    const rest = behind.map((part) => this.#replaced(part, secrets, names));
    return [this.#replaced(before as string, secrets, names), ...rest].join(this.#reference(names, found));
  }

  #reference(names: readonly string[], value: string): string {
    const candidates = [...names];
    for (let count = 2; ; count += 1) {
      const name = candidates.find((one) => /^[A-Za-z_]\w*$/.test(one) && this.#isFree(one, value));
      if (name !== undefined) {
        this.values.set(name, value);
        return `\${${name}}`;
      }
      candidates.push(`${names.at(-1)}_${count}`);
    }
  }

  #isFree(name: string, value: string): boolean {
    const known = this.values.get(name) ?? this.#taken(name);
    return known === undefined || known === value;
  }
}

/** Whether there is anything to take out. */
export function holdsSecrets(server: string, entry: Settings): boolean {
  const variables = new SecretVariables(() => undefined);
  variables.takeOut(server, entry);
  return variables.values.size > 0;
}

function isReference(text: string): boolean {
  return text.includes("${");
}
