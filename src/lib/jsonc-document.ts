/**
 * Reads JSON as editors write their settings: with comments, commas behind the last member and a byte order mark. Every
 * value keeps its place, so that `jsonc-edit.ts` can change one of them and nothing else.
 */
import { PlacedError } from "./placed-error.ts";

export interface JsoncMember {
  readonly key: string;
  /** Of the key, its quotes included. */
  readonly start: number;
  readonly value: JsoncNode;
  /** Where the comma behind it stands. */
  comma: number | undefined;
}

export interface JsoncNode {
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
  readonly value: unknown;
  /** Of an object, in the order of the text; the last of several with one key counts. */
  readonly members: readonly JsoncMember[] | undefined;
}

const maxDepth = 128;
const scalar = /(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)(?![\w.+-])/y;
const words = /[^\s,:[\]{}"]*/y;
// Unrolled, so that a text that is never closed is found out in one pass.
const string = /"[^"\\\n]*(?:\\[^\n][^"\\\n]*)*"/y;
const trivia = /(?:\s+|\ufeff|\/\/[^\n]*|\/\*[\s\S]*?\*\/)*/y;

/** `undefined` for a text that has nothing but blanks and comments. @throws PlacedError */
export function readJsonc(text: string): JsoncNode | undefined {
  return new Reader(text).document();
}

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  document(): JsoncNode | undefined {
    this.#skip();
    if (this.#at === this.#text.length) return undefined;
    const node = this.#value(0);
    this.#skip();
    if (this.#at < this.#text.length) this.#fail("nothing may follow the value");
    return node;
  }

  #value(depth: number): JsoncNode {
    if (depth > maxDepth) this.#fail(`values are nested deeper than ${maxDepth} levels`);
    const start = this.#at;
    const char = this.#text[start];
    if (char === "{") return this.#object(depth);
    if (char === "[") return this.#array(depth);
    const text = char === '"' ? this.#string() : (this.#match(scalar) ?? this.#failAtWord());
    return { start, end: this.#at, value: this.#parsed(text, start), members: undefined };
  }

  #object(depth: number): JsoncNode {
    const start = this.#at;
    const members: JsoncMember[] = [];
    this.#list("}", "object", start, () => {
      const keyAt = this.#at;
      if (this.#text[keyAt] !== '"') this.#fail("a key in double quotes is missing");
      const key = this.#parsed(this.#string(), keyAt) as string;
      this.#skip();
      if (this.#text[this.#at] !== ":") this.#fail(`a colon is missing behind ${JSON.stringify(key)}`);
      this.#at += 1;
      this.#skip();
      const member: JsoncMember = { key, start: keyAt, value: this.#value(depth + 1), comma: undefined };
      members.push(member);
      return (comma) => {
        member.comma = comma;
      };
    });
    const value = Object.fromEntries(members.map((member) => [member.key, member.value.value]));
    return { start, end: this.#at, value, members };
  }

  #array(depth: number): JsoncNode {
    const start = this.#at;
    const items: unknown[] = [];
    this.#list("]", "list", start, () => {
      items.push(this.#value(depth + 1).value);
      return () => {};
    });
    return { start, end: this.#at, value: items, members: undefined };
  }

  /** Items up to the closing bracket; `readItem` returns who wants to know where the comma behind it is. */
  #list(close: string, what: string, start: number, readItem: () => (comma: number) => void): void {
    this.#at += 1;
    for (;;) {
      this.#skip();
      const char = this.#text[this.#at];
      if (char === close) break;
      if (char === undefined) this.#fail(`this ${what} is never closed`, start);
      const tellComma = readItem();
      this.#skip();
      if (this.#text[this.#at] === ",") {
        tellComma(this.#at);
        this.#at += 1;
      } else if (this.#text[this.#at] === undefined) this.#fail(`this ${what} is never closed`, start);
      else if (this.#text[this.#at] !== close) this.#fail("a comma is missing");
    }
    this.#at += 1;
  }

  #string(): string {
    return this.#match(string) ?? this.#fail("this text is never closed");
  }

  #failAtWord(): never {
    const start = this.#at;
    const word = this.#match(words);
    return this.#fail(word ? `${JSON.stringify(word)} is no value` : "a value is missing", start);
  }

  #parsed(text: string, start: number): unknown {
    try {
      return JSON.parse(text);
    } catch {
      return this.#fail("this text has a character or an escape that JSON does not allow", start);
    }
  }

  #skip(): void {
    this.#match(trivia);
    if (this.#text.startsWith("/*", this.#at)) this.#fail("this comment is never closed");
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  #fail(what: string, at = this.#at): never {
    throw new PlacedError(this.#text, at, what);
  }
}
