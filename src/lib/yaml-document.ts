/**
 * Reads YAML with the guards a file from anywhere needs (T15): bounded size, depth, nodes and alias expansion, no custom
 * tags, no duplicate or merge keys, no `__proto__`. The one file of this room with a package, because configuration and
 * capabilities must not each have a reader; it is loaded on demand, because it costs more than the rest of the start.
 */
import type { Document, LineCounter, Node, Pair } from "yaml";
import { maxYamlBytes } from "./yaml-limits.ts";

type Yaml = typeof import("yaml");

export interface Place {
  readonly line: number;
  readonly column: number;
}

export interface YamlProblem {
  readonly place: Place;
  readonly message: string;
}

export interface YamlDocument {
  readonly value: unknown;
  /** Where the key of the path stands, or the item of a list; where the path leaves the file, its nearest ancestor. */
  placeOf(path: readonly PropertyKey[]): Place;
}

const limits = { depth: 64, nodes: 100_000, tokens: 200_000, problems: 20 } as const;

export class YamlError extends Error {
  readonly problems: readonly YamlProblem[];

  constructor(problems: readonly YamlProblem[]) {
    super(problems[0]?.message ?? "Not valid YAML");
    this.name = "YamlError";
    this.problems = problems;
  }
}

/** @throws YamlError with every problem found, in the order of the text */
export async function readYaml(text: string): Promise<YamlDocument> {
  const yaml = await import("yaml");
  guardSize(text, new yaml.Lexer());
  const lines = new yaml.LineCounter();
  const document = yaml.parseDocument(text, {
    schema: "core",
    merge: false,
    // Checked in PlainReader: the package compares every key with every other.
    uniqueKeys: false,
    stringKeys: true,
    prettyErrors: false,
    lineCounter: lines,
  });
  // A warning is a tag the core schema does not know; reading its value as text would hide what the author meant.
  const faults = [...document.errors, ...document.warnings];
  if (faults.length > 0) {
    const problems = faults.slice(0, limits.problems).map(({ pos, message }) => problem(lines, pos[0], message));
    throw new YamlError(problems);
  }
  const value = new PlainReader(yaml, document, lines).read();
  return { value, placeOf: (path) => placeOf(yaml, document, lines, path) };
}

export interface YamlComment {
  readonly path: readonly PropertyKey[];
  readonly text: string;
}

/** The value as YAML, long lines unbroken, each comment in lines above the key of its path. */
export async function yamlText(value: unknown, comments: readonly YamlComment[] = []): Promise<string> {
  const yaml = await import("yaml");
  const document = new yaml.Document(value);
  for (const { path, text } of comments) {
    const map = document.getIn(path.slice(0, -1), true);
    const pair = yaml.isMap(map) && (map.items as Pair<Node>[]).find((item) => keyOf(yaml, item) === path.at(-1));
    if (pair) pair.key.commentBefore = ` ${text}`;
  }
  return document.toString({ lineWidth: 0 });
}

/** Refuses what would make the parser itself slow or deep, before it runs. */
function guardSize(text: string, lexer: { lex(source: string): Generator<string> }): void {
  if (new TextEncoder().encode(text).length > maxYamlBytes) throw refusal("The file is larger than 1 MiB");
  if (indentationDepth(text) > limits.depth) throw tooDeep();
  let flowDepth = 0;
  let blockMarks = 0;
  let tokens = 0;
  let scalarFollows = false;
  for (const token of lexer.lex(text)) {
    tokens += 1;
    if (tokens > limits.tokens) throw refusal("The file has too many values");
    if (scalarFollows) scalarFollows = false;
    else if (token === "\x1f") scalarFollows = true;
    else if (token === "[" || token === "{") flowDepth += 1;
    else if (token === "]" || token === "}") flowDepth = Math.max(0, flowDepth - 1);
    else if (token === "\n" || token === "\r\n") blockMarks = 0;
    else if (flowDepth === 0 && (token === "-" || token === "?" || token === ":")) blockMarks += 1;
    if (flowDepth > limits.depth || blockMarks > limits.depth) throw tooDeep();
  }
}

/** How many lines, each indented deeper than the one before it, stand inside each other: the parser calls itself for each. */
function indentationDepth(text: string): number {
  const open: number[] = [];
  let deepest = 0;
  for (const [, spaces] of text.matchAll(/^( *)[^ #\r\n]/gm)) {
    const indent = (spaces as string).length;
    while (open.length > 0 && (open.at(-1) as number) >= indent) open.pop();
    open.push(indent);
    deepest = Math.max(deepest, open.length);
  }
  return deepest;
}

function tooDeep(): YamlError {
  return refusal(`Values are nested deeper than ${limits.depth} levels`);
}

/** Turns nodes into plain values. Aliases share the value they name, so that they cost memory only once; their size counts each time. */
class PlainReader {
  readonly #yaml: Yaml;
  readonly #document: Document.Parsed;
  readonly #lines: LineCounter;
  readonly #anchors = new Map<string, { value: unknown; size: number }>();
  readonly #problems: YamlProblem[] = [];
  #size = 0;

  constructor(yaml: Yaml, document: Document.Parsed, lines: LineCounter) {
    this.#yaml = yaml;
    this.#document = document;
    this.#lines = lines;
  }

  read(): unknown {
    const value = this.#value(this.#document.contents, 0);
    if (this.#problems.length > 0) throw new YamlError(this.#problems);
    return value;
  }

  #value(node: Node | null, depth: number): unknown {
    if (node === null) return null;
    if (depth > limits.depth) this.#refuse(node, `Values are nested deeper than ${limits.depth} levels`);
    const before = this.#size;
    this.#grow(1, node);
    if (this.#yaml.isAlias(node)) {
      const target = this.#anchors.get(node.source);
      if (target === undefined) this.#refuse(node, `The alias "*${node.source}" refers to nothing before it`);
      this.#grow(target.size, node);
      return target.value;
    }
    const value = this.#content(node, depth);
    if ("anchor" in node && typeof node.anchor === "string")
      this.#anchors.set(node.anchor, { value, size: this.#size - before });
    return value;
  }

  #content(node: Node, depth: number): unknown {
    const { isMap, isSeq, isScalar } = this.#yaml;
    if (isSeq(node)) return node.items.map((item) => this.#value(item as Node | null, depth + 1));
    if (!isMap(node)) return isScalar(node) ? node.value : null;
    const map: Record<string, unknown> = {};
    for (const pair of node.items as Pair<Node, Node | null>[]) {
      const key = keyOf(this.#yaml, pair);
      const fault = keyFault(key, map);
      if (fault !== undefined) this.#report(pair.key, fault);
      else map[key as string] = this.#value(pair.value, depth + 1);
    }
    return map;
  }

  #grow(by: number, node: Node): void {
    this.#size += by;
    if (this.#size > limits.nodes) this.#refuse(node, `The file stands for more than ${limits.nodes} values`);
  }

  #report(node: Node, message: string): void {
    this.#problems.push(problem(this.#lines, node.range?.[0] ?? 0, message));
    if (this.#problems.length >= limits.problems) throw new YamlError(this.#problems);
  }

  #refuse(node: Node, message: string): never {
    throw new YamlError([...this.#problems, problem(this.#lines, node.range?.[0] ?? 0, message)]);
  }
}

function keyFault(key: string | undefined, map: Record<string, unknown>): string | undefined {
  if (key === undefined) return "A key must be a string";
  if (key === "__proto__") return `The key "${key}" is not allowed`;
  if (key === "<<") return 'Merge keys ("<<") are not supported: write the settings out';
  if (Object.hasOwn(map, key)) return `The key "${key}" is there twice`;
  return undefined;
}

function placeOf(yaml: Yaml, document: Document.Parsed, lines: LineCounter, path: readonly PropertyKey[]): Place {
  let node: Node | null = document.contents;
  let offset = node?.range?.[0] ?? 0;
  for (const step of path) {
    let place: Node | null | undefined;
    if (yaml.isMap(node)) {
      const pair = (node.items as Pair<Node, Node | null>[]).find((item) => keyOf(yaml, item) === String(step));
      place = pair?.key;
      node = pair?.value ?? null;
    } else if (yaml.isSeq(node)) {
      place = node.items[step as number] as Node | null | undefined;
      node = place ?? null;
    }
    if (place == null) break;
    offset = place.range?.[0] ?? offset;
  }
  return at(lines, offset);
}

function at(lines: LineCounter, offset: number): Place {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(line, 1), column: Math.max(col, 1) };
}

function problem(lines: LineCounter, offset: number, message: string): YamlProblem {
  return { place: at(lines, offset), message };
}

function refusal(message: string): YamlError {
  return new YamlError([{ place: { line: 1, column: 1 }, message }]);
}

function keyOf(yaml: Yaml, pair: Pair<unknown, unknown>): string | undefined {
  const { key } = pair;
  return yaml.isScalar(key) && typeof key.value === "string" ? key.value : undefined;
}
