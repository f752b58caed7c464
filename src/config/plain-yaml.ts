/**
 * Reads the everyday part of YAML: block maps and lists, one-line flow collections, plain and quoted scalars, comments.
 * It exists for the start-up time alone: loading the YAML package and parsing with it cold costs three times an empty
 * program. Whatever is unusual, doubtful or wrong is left, unread, to `lib/yaml-document.ts`; a test holds the two to equal results.
 */

/** Thrown inside to give up; the outcome is `undefined`, never an error. */
const giveUp = Symbol("not plain");

interface Line {
  readonly indent: number;
  readonly text: string;
}

const maxDepth = 32;
const maxLines = 10_000;
// Tabs, other control characters, line separators and byte order marks: each has rules of its own.
const unusualCharacter = /[^\n\x20-\x7e\u00a0-\u2027\u202a-\ud7ff\ud800-\udfff\ue000-\ufefe]/;
const key = /^([A-Za-z_][\w./@-]*|[1-9]\d{0,9}):(?: +|$)/;
const plainStart = /^(?:[A-Za-z0-9_./~$+(<=^;\\\u00a0-\uffff]|-(?! |$))/;
const simpleNumber = /^-?(?:0|[1-9]\d{0,14})(?:\.\d{1,10})?$/;
const anyNumber =
  /^[-+]?(?:0o[0-7]+|0x[0-9a-fA-F]+|(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?|\.(?:inf|Inf|INF))$|^\.(?:nan|NaN|NAN)$/;
const words = new Map<string, null | boolean>([
  ...["~", "null", "Null", "NULL"].map((word) => [word, null] as const),
  ...["true", "True", "TRUE"].map((word) => [word, true] as const),
  ...["false", "False", "FALSE"].map((word) => [word, false] as const),
]);

/** The value, or `undefined` when the text is not entirely of the plain kind. An empty text is `null`. */
export function readPlainYaml(text: string): { readonly value: unknown } | undefined {
  if (unusualCharacter.test(text)) return undefined;
  try {
    return { value: new Reader(text).read() };
  } catch (error) {
    if (error === giveUp) return undefined;
    throw error;
  }
}

class Reader {
  readonly #lines: Line[] = [];
  #at = 0;

  constructor(text: string) {
    for (const line of text.split("\n")) {
      const content = line.trimStart();
      if (content === "" || content.startsWith("#")) continue;
      const indent = line.length - content.length;
      if (indent === 0 && (line.startsWith("---") || line.startsWith("..."))) throw giveUp;
      this.#lines.push({ indent, text: content.trimEnd() });
    }
    if (this.#lines.length > maxLines) throw giveUp;
  }

  read(): unknown {
    const first = this.#lines[0];
    if (first === undefined) return null;
    const value = this.#block(first.indent, 0);
    if (this.#at < this.#lines.length) throw giveUp;
    return value;
  }

  #block(indent: number, depth: number): unknown {
    if (depth > maxDepth) throw giveUp;
    const line = this.#lines[this.#at] as Line;
    return isItem(line.text) ? this.#list(indent, depth) : this.#map(indent, depth);
  }

  #list(indent: number, depth: number): unknown[] {
    const items: unknown[] = [];
    for (;;) {
      const line = this.#lines[this.#at];
      if (line === undefined || line.indent < indent) return items;
      if (line.indent > indent) throw giveUp;
      if (!isItem(line.text)) return items;
      const rest = line.text.slice(1).trimStart();
      if (rest === "" || rest.startsWith("#")) {
        this.#at += 1;
        items.push(this.#nested(indent, depth));
      } else if (isItem(rest) || key.test(rest)) {
        // `- name: x` opens a block whose indentation is where its text begins.
        const inner = indent + line.text.length - rest.length;
        this.#lines[this.#at] = { indent: inner, text: rest };
        items.push(this.#block(inner, depth + 1));
      } else {
        this.#at += 1;
        items.push(scalarLine(rest));
      }
    }
  }

  #map(indent: number, depth: number): Record<string, unknown> {
    const map: Record<string, unknown> = {};
    for (;;) {
      const line = this.#lines[this.#at];
      if (line === undefined || line.indent < indent) return map;
      if (line.indent > indent) throw giveUp;
      const match = key.exec(line.text);
      if (match === null) throw giveUp;
      const name = match[1] as string;
      if (name in map || words.has(name)) throw giveUp;
      this.#at += 1;
      const rest = line.text.slice(match[0].length);
      if (rest !== "" && !rest.startsWith("#")) {
        map[name] = scalarLine(rest);
        continue;
      }
      const next = this.#lines[this.#at];
      // A list may stand below its key without being indented.
      const sameIndent = next !== undefined && next.indent === indent && isItem(next.text);
      map[name] = sameIndent ? this.#list(indent, depth + 1) : this.#nested(indent, depth);
    }
  }

  #nested(indent: number, depth: number): unknown {
    const next = this.#lines[this.#at];
    return next !== undefined && next.indent > indent ? this.#block(next.indent, depth + 1) : null;
  }
}

function isItem(text: string): boolean {
  return text === "-" || text.startsWith("- ");
}

/** The value that fills the rest of a line, a comment behind it allowed. */
function scalarLine(text: string): unknown {
  if (plainStart.test(text)) {
    const comment = text.indexOf(" #");
    return plainScalar(comment < 0 ? text : text.slice(0, comment).trimEnd());
  }
  const { value, end } = readInline(text, 0, 0);
  const rest = text.slice(end);
  if (rest !== "" && !/^ +(?:#|$)/.test(rest)) throw giveUp;
  return value;
}

function plainScalar(text: string): unknown {
  if (text.includes(": ") || text.endsWith(":")) throw giveUp;
  const word = words.get(text);
  if (word !== undefined) return word;
  if (simpleNumber.test(text) && text !== "-0") return Number(text);
  if (anyNumber.test(text)) throw giveUp;
  return text;
}

interface Inline {
  readonly value: unknown;
  readonly end: number;
}

/** A quoted scalar or a flow collection that begins and ends on this line. */
function readInline(text: string, at: number, depth: number): Inline {
  if (depth > maxDepth) throw giveUp;
  switch (text[at]) {
    case '"': {
      const match = /^"(?:[^"\\]|\\["\\nt])*"/.exec(text.slice(at));
      if (match === null) throw giveUp;
      return { value: JSON.parse(match[0]) as string, end: at + match[0].length };
    }
    case "'": {
      const match = /^'((?:[^']|'')*)'/.exec(text.slice(at));
      if (match === null) throw giveUp;
      return { value: (match[1] as string).replaceAll("''", "'"), end: at + match[0].length };
    }
    case "[":
      return readFlowList(text, at, depth);
    case "{":
      return readFlowMap(text, at, depth);
    default:
      throw giveUp;
  }
}

function readFlowList(text: string, start: number, depth: number): Inline {
  const items: unknown[] = [];
  let at = skipSpaces(text, start + 1);
  while (text[at] !== "]") {
    const item = readFlowValue(text, at, depth);
    items.push(item.value);
    at = skipSpaces(text, item.end);
    if (text[at] === ",") at = skipSpaces(text, at + 1);
    else if (text[at] !== "]") throw giveUp;
  }
  return { value: items, end: at + 1 };
}

function readFlowMap(text: string, start: number, depth: number): Inline {
  const map: Record<string, unknown> = {};
  let at = skipSpaces(text, start + 1);
  while (text[at] !== "}") {
    const match = /^([A-Za-z_][\w.-]*): +/.exec(text.slice(at));
    const name = match?.[1];
    if (match === null || name === undefined || name in map || words.has(name)) throw giveUp;
    const value = readFlowValue(text, at + match[0].length, depth);
    map[name] = value.value;
    at = skipSpaces(text, value.end);
    if (text[at] === ",") at = skipSpaces(text, at + 1);
    else if (text[at] !== "}") throw giveUp;
  }
  return { value: map, end: at + 1 };
}

function readFlowValue(text: string, at: number, depth: number): Inline {
  const plain = /^[A-Za-z0-9_./~$*+-][^,[\]{}#:]*/.exec(text.slice(at));
  if (plain === null || /^[*-]/.test(plain[0])) return readInline(text, at, depth + 1);
  const end = at + plain[0].length;
  if (text[end] === undefined || !",]}".includes(text[end] as string)) throw giveUp;
  return { value: plainScalar(plain[0].trimEnd()), end };
}

function skipSpaces(text: string, at: number): number {
  let to = at;
  while (text[to] === " ") to += 1;
  return to;
}
