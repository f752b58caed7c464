/**
 * Reads TOML 1.0 as far as settings of other programs need it: tables, arrays of tables, dotted keys, the four kinds of
 * text, numbers, booleans, lists and inline tables. Dates are given as the text they are. Every table header keeps its
 * place, so that the lines of one table can be replaced, and every key, so that what is said of it can be found.
 */
import { PlacedError, placesIn } from "./placed-error.ts";
import type { Place } from "./yaml-document.ts";

export type TomlTable = { [key: string]: unknown };

export interface TomlHeader {
  readonly path: readonly string[];
  /** Where its line begins. */
  readonly start: number;
}

export interface TomlDocument {
  readonly value: Readonly<TomlTable>;
  readonly headers: readonly TomlHeader[];
  /** Where the key of the path stands, or the header of its table; where the path leaves the file, its nearest ancestor. */
  placeOf(path: readonly (string | number)[]): Place;
}

const maxDepth = 64;
const blank = /(?:[ \t]|\r?\n|#[^\n]*|\ufeff)*/y;
const space = /[ \t]*/y;
const lineEnd = /[ \t\r]*(?:#[^\n]*)?(?:\n|$)/y;
const bareKey = /[A-Za-z0-9_-]+/y;
const basic = /"(?!"")[^"\\\n]*(?:\\[^\n][^"\\\n]*)*"/y;
const literal = /'(?!'')[^'\n]*'/y;
const longBasic = /"""(?:\r?\n)?([^"\\]*(?:(?:\\[\s\S]|"{1,2}(?!"))[^"\\]*)*"{0,2})"""/y;
const longLiteral = /'''(?:\r?\n)?([^']*(?:'{1,2}(?!')[^']*)*'{0,2})'''/y;
const plain = /[^\s,[\]{}#"'=]+(?: \d\d:\d\d[^\s,[\]{}#"'=]*)?/y;
const number = /^[+-]?(?:0x[\da-fA-F_]+|0o[0-7_]+|0b[01_]+|\d[\d_]*(?:\.\d[\d_]*)?(?:[eE][+-]?\d[\d_]*)?|inf|nan)$/;
const date = /^\d{4}-\d\d-\d\d|^\d\d:\d\d/;

/** @throws PlacedError */
export function readToml(text: string): TomlDocument {
  return new Reader(text).document();
}

class Reader {
  readonly #text: string;
  #at = 0;
  /** Where the keys of each table, and the items of each list of tables, begin. */
  readonly #places = new WeakMap<object, Map<string | number, number>>();

  constructor(text: string) {
    this.#text = text;
  }

  document(): TomlDocument {
    const value = emptyTable();
    const headers: TomlHeader[] = [];
    let table = value;
    for (;;) {
      this.#match(blank);
      const start = this.#at;
      if (start === this.#text.length) {
        let placeAt: ((at: number) => Place) | undefined;
        const placeOf = (path: readonly (string | number)[]) => {
          placeAt ??= placesIn(this.#text);
          return placeAt(this.#placeOf(value, path));
        };
        return { value, headers, placeOf };
      }
      if (this.#text[start] === "[") {
        const isItem = this.#text.startsWith("[[", start);
        this.#at += isItem ? 2 : 1;
        const path = this.#key();
        if (!this.#take(isItem ? "]]" : "]")) this.#fail('a "]" is missing');
        headers.push({ path, start: this.#text.lastIndexOf("\n", start) + 1 });
        table = isItem ? this.#newItem(value, path, start) : this.#tableAt(value, path, start);
      } else this.#assignment(table, 0);
      if (this.#match(lineEnd) === undefined) this.#fail("nothing may follow on this line");
    }
  }

  #assignment(table: TomlTable, depth: number): void {
    const start = this.#at;
    const path = this.#key();
    if (!this.#take("=")) this.#fail('a "=" is missing');
    this.#match(space);
    const holder = this.#tableAt(table, path.slice(0, -1), start);
    const name = path.at(-1) as string;
    if (Object.hasOwn(holder, name)) this.#fail(`"${path.join(".")}" is there twice`, start);
    this.#note(holder, name, start);
    holder[name] = this.#value(depth);
  }

  #key(): string[] {
    const path: string[] = [];
    do {
      this.#match(space);
      const quoted = this.#match(basic) ?? this.#match(literal);
      const part = quoted === undefined ? this.#match(bareKey) : this.#unquoted(quoted);
      if (part === undefined) this.#fail("a key is missing");
      path.push(part as string);
      this.#match(space);
      if (path.length > maxDepth) this.#fail(`a key has more than ${maxDepth} parts`);
    } while (this.#take("."));
    return path;
  }

  #value(depth: number): unknown {
    if (depth > maxDepth) this.#fail(`values are nested deeper than ${maxDepth} levels`);
    const start = this.#at;
    if (this.#take("[")) return this.#list(depth, start);
    if (this.#take("{")) return this.#inlineTable(depth, start);
    const long = this.#group(longBasic);
    if (long !== undefined) return this.#unescaped(long.replace(/\\[ \t]*\r?\n\s*/g, ""), start);
    const longPlain = this.#group(longLiteral);
    if (longPlain !== undefined) return longPlain;
    const quoted = this.#match(basic) ?? this.#match(literal);
    if (quoted !== undefined) return this.#unquoted(quoted);
    if (this.#text[start] === '"' || this.#text[start] === "'") this.#fail("this text is never closed");
    const word = this.#match(plain);
    if (word === "true" || word === "false") return word === "true";
    if (word !== undefined && number.test(word)) return Number(word.replaceAll("_", "").replace("inf", "Infinity"));
    if (word !== undefined && date.test(word)) return word;
    return this.#fail(word === undefined ? "a value is missing" : `${JSON.stringify(word)} is no value`, start);
  }

  #list(depth: number, start: number): unknown[] {
    const items: unknown[] = [];
    for (;;) {
      this.#match(blank);
      if (this.#take("]")) return items;
      if (this.#at === this.#text.length) this.#fail("this list is never closed", start);
      items.push(this.#value(depth + 1));
      this.#match(blank);
      if (!this.#take(",") && this.#text[this.#at] !== "]") this.#fail("a comma is missing");
    }
  }

  #inlineTable(depth: number, start: number): TomlTable {
    const table = emptyTable();
    for (;;) {
      this.#match(blank);
      if (this.#take("}")) return table;
      if (this.#at === this.#text.length) this.#fail("this table is never closed", start);
      this.#assignment(table, depth + 1);
      this.#match(blank);
      if (!this.#take(",") && this.#text[this.#at] !== "}") this.#fail("a comma is missing");
    }
  }

  #tableAt(root: TomlTable, path: readonly string[], start: number): TomlTable {
    return path.reduce<TomlTable>((table, key) => {
      const found = Object.hasOwn(table, key) ? table[key] : undefined;
      const inner = Array.isArray(found) ? found.at(-1) : found;
      if (isTable(inner)) return inner;
      if (found !== undefined) this.#fail(`"${key}" is not a table`, start);
      const made = emptyTable();
      table[key] = made;
      this.#note(table, key, start);
      return made;
    }, root);
  }

  #newItem(root: TomlTable, path: readonly string[], start: number): TomlTable {
    const holder = this.#tableAt(root, path.slice(0, -1), start);
    const name = path.at(-1) as string;
    if (holder[name] === undefined) this.#note(holder, name, start);
    holder[name] ??= [];
    const list = holder[name];
    if (!Array.isArray(list)) this.#fail(`"${path.join(".")}" is not a list of tables`, start);
    const item = emptyTable();
    this.#note(list as object, (list as unknown[]).length, start);
    (list as unknown[]).push(item);
    return item;
  }

  #note(holder: object, key: string | number, at: number): void {
    let places = this.#places.get(holder);
    if (places === undefined) {
      places = new Map();
      this.#places.set(holder, places);
    }
    places.set(key, at);
  }

  #placeOf(root: TomlTable, path: readonly (string | number)[]): number {
    let inner: unknown = root;
    let found = 0;
    for (const step of path) {
      const at = this.#places.get(inner as object)?.get(step);
      if (at === undefined) break;
      found = at;
      inner = (inner as Record<string | number, unknown>)[step];
    }
    return found;
  }

  #unquoted(quoted: string): string {
    const inner = quoted.slice(1, -1);
    return quoted.startsWith("'") ? inner : this.#unescaped(inner, this.#at - quoted.length);
  }

  #unescaped(text: string, start: number): string {
    return text.replace(/\\(?:u([\da-fA-F]{4})|U([\da-fA-F]{8})|([\s\S]))/g, (all, short, long, char: string) => {
      const code = Number.parseInt(short ?? long ?? "", 16);
      if (code <= 0x10ffff) return String.fromCodePoint(code);
      return escapes[char] ?? this.#fail(`"${all}" is no escape`, start);
    });
  }

  #take(text: string): boolean {
    if (!this.#text.startsWith(text, this.#at)) return false;
    this.#at += text.length;
    return true;
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  #group(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text);
    if (found !== null) this.#at += found[0].length;
    return found?.[1];
  }

  #fail(what: string, at = this.#at): never {
    throw new PlacedError(this.#text, at, what);
  }
}

const escapes: Readonly<Record<string, string>> = {
  b: "\b",
  t: "\t",
  n: "\n",
  f: "\f",
  r: "\r",
  e: "\u001b",
  '"': '"',
  "\\": "\\",
};

/** Without a prototype: a key may be called `__proto__`. */
function emptyTable(): TomlTable {
  return Object.create(null) as TomlTable;
}

function isTable(value: unknown): value is TomlTable {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
