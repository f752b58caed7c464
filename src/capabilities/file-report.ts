/** What is wrong or unusual in one capability file, each with its place; all of it at once. */
import * as v from "valibot";
import { ConfigError } from "../core/errors.ts";
import { suggestion } from "../lib/did-you-mean.ts";
import { isJsonObject } from "../lib/json.ts";

export type KeyPath = readonly PropertyKey[];

export class FileReport {
  readonly warnings: string[] = [];
  /** What the file needs and is not there yet; it is left out without being wrong. */
  readonly skipped: string[] = [];
  readonly #problems: string[] = [];
  readonly #file: string;
  readonly #placeOf: (path: KeyPath) => string;

  constructor(file: string, placeOf: (path: KeyPath) => string) {
    this.#file = file;
    this.#placeOf = placeOf;
  }

  /** `file:line:column` */
  place(path: KeyPath): string {
    return `${this.#file}:${this.#placeOf(path)}`;
  }

  problem(path: KeyPath, text: string): void {
    this.#problems.push(this.#line(path, text));
  }

  warning(path: KeyPath, text: string): void {
    this.warnings.push(this.#line(path, text));
  }

  skip(path: KeyPath, what: string): void {
    this.skipped.push(this.#line(path, `${what} is not active yet: the file is skipped`));
  }

  /** @throws ConfigError with every problem there is and every warning, which is often the reason, in the order of the file */
  throwIfBroken(): void {
    if (this.#problems.length > 0)
      throw new ConfigError([...this.#problems, ...this.warnings].sort(byPlace).join("\n"));
  }

  /** `undefined` after a problem for each part that does not fit; none shows a value, which may be a key. */
  parse<const TSchema extends v.GenericSchema>(
    schema: TSchema,
    value: unknown,
    at: KeyPath,
  ): v.InferOutput<TSchema> | undefined {
    const result = v.safeParse(schema, value);
    if (result.success) return result.output;
    for (const issue of result.issues) {
      const path = [...at, ...(issue.path ?? []).map(({ key }) => key as PropertyKey)];
      const name = path.length === 0 ? "The file" : quote(path);
      const isOurs = !issue.message.startsWith("Invalid ");
      const wanted = isOurs ? issue.message.replace(/^Expected /, "") : issue.expected;
      const isMissing = issue.received === "undefined" && !isOurs;
      this.problem(path, isMissing ? `${name} is missing` : `${name} must be ${wanted}`);
    }
    return undefined;
  }

  /** Warns of keys the schema does not know, and names the one that may have been meant. */
  unknownKeys(schema: { readonly entries: object }, value: unknown, at: KeyPath): void {
    if (!isJsonObject(value)) return;
    const known = Object.keys(schema.entries);
    for (const key of Object.keys(value)) {
      if (known.includes(key)) continue;
      const outcome = suggestion(key, known) || " and is ignored";
      this.warning([...at, key], `${quote([...at, key])} is not a key of capability files${outcome}`);
    }
  }

  #line(path: KeyPath, text: string): string {
    return `${this.place(path)}  ${text}`;
  }
}

/** By line, then by column. */
function byPlace(a: string, b: string): number {
  const [first, second] = [a, b].map((line) => /:(\d+):(\d+) {2}/.exec(line)?.slice(1).map(Number) ?? [0, 0]);
  return (first?.[0] ?? 0) - (second?.[0] ?? 0) || (first?.[1] ?? 0) - (second?.[1] ?? 0);
}

export function quote(path: KeyPath): string {
  return `"${path.join(".")}"`;
}
