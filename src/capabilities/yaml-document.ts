/**
 * YAML from a folder anyone may write into: read with limits, so that a hostile or broken file costs milliseconds (T15).
 * Loaded lazily: the package is large and the built-in capabilities are parsed by the build.
 */
import { isAlias, isCollection, isMap, isScalar, Lexer, LineCounter, parseDocument, visit } from "yaml";
import { ConfigError } from "../core/errors.ts";

/** The parser needs about 4 µs and 1 kB for each of them. */
const maxTokens = 20_000;
const maxDepth = 64;
/** Columns; what people and formatters use at most. */
const indentOfLevel = 4;
const maxAliases = 50;
/** The rest is mostly consequences of the first. */
const maxProblems = 10;

export interface YamlDocument {
  /** JSON values only. */
  readonly value: unknown;
  /** `line:column` of the innermost part of this path that the file has; keys first, then list indexes. */
  placeOf(path: readonly PropertyKey[]): string;
}

/**
 * @param file named in errors
 * @throws ConfigError with one line `file:line:column  problem` for each problem
 */
export function readYaml(file: string, text: string): YamlDocument {
  refuseOversized(file, text);
  const lines = new LineCounter();
  const place = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `${line}:${Math.max(col, 1)}`;
  };
  const document = parseDocument(text, {
    lineCounter: lines,
    schema: "core",
    // Its own check compares every key with every other; ours below is linear.
    uniqueKeys: false,
    prettyErrors: false,
  });
  const problems = [...document.errors, ...document.warnings].map(({ pos, message }) => `${place(pos[0])}  ${message}`);
  if (problems.length === 0) {
    const refuse = (offset: number, problem: string) => problems.push(`${place(offset)}  ${problem}`);
    let aliases = 0;
    visit(document, {
      Alias(_key, node) {
        const offset = node.range?.[0] ?? 0;
        if (node.resolve(document) === undefined)
          refuse(offset, `There is no anchor "${node.source}" before this alias`);
        if (++aliases <= maxAliases) return undefined;
        refuse(offset, `The file uses more than ${maxAliases} aliases`);
        return visit.BREAK;
      },
      Map(_key, node) {
        const seen = new Set<unknown>();
        for (const { key } of node.items) {
          const name = isScalar(key) ? String(key.value) : undefined;
          const offset = isScalar(key) || isCollection(key) || isAlias(key) ? (key.range?.[0] ?? 0) : 0;
          if (name === undefined) refuse(offset, "A key must be plain text");
          else if (name === "__proto__") refuse(offset, 'The key "__proto__" is not allowed');
          else if (seen.has(name)) refuse(offset, `The key "${name}" is here twice`);
          seen.add(name);
        }
      },
    });
  }
  if (problems.length > 0) throw refusal(file, problems);
  return { value: expand(), placeOf };

  function expand(): unknown {
    try {
      return document.toJS({ maxAliasCount: maxAliases });
    } catch (error) {
      throw refusal(file, [`1:1  ${error instanceof Error ? error.message : String(error)}`]);
    }
  }

  function placeOf(path: readonly PropertyKey[]): string {
    let node: unknown = document.contents;
    let offset = document.contents?.range?.[0] ?? 0;
    for (const part of path) {
      if (isMap(node)) {
        const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(part));
        if (pair === undefined) break;
        if (isScalar(pair.key)) offset = pair.key.range?.[0] ?? offset;
        node = pair.value;
      } else {
        const item: unknown = isCollection(node) ? node.items[Number(part)] : undefined;
        if (!isScalar(item) && !isCollection(item)) break;
        offset = item.range?.[0] ?? offset;
        node = item;
      }
    }
    return place(offset);
  }
}

/** Counts tokens before anything is built from them: the lexer is linear and keeps nothing, the parser neither. */
function refuseOversized(file: string, text: string): void {
  const refuse = (problem: string) => {
    throw refusal(file, [`1:1  ${problem}`]);
  };
  let tokens = 0;
  let brackets = 0;
  let indicatorsOnLine = 0;
  let last = "";
  for (const token of new Lexer().lex(text)) {
    if (++tokens > maxTokens) refuse(`The file has more than ${maxTokens} tokens`);
    if (token === "[" || token === "{") brackets++;
    else if (token === "]" || token === "}") brackets--;
    else if (token === "-" || token === "?" || token === ":") indicatorsOnLine++;
    else if (token === "\n") indicatorsOnLine = 0;
    const isDeep = brackets > maxDepth || (brackets === 0 && indicatorsOnLine > maxDepth);
    const isIndented = last === "\n" && token.length > maxDepth * indentOfLevel && token.trim() === "";
    last = token;
    if (isDeep || isIndented) refuse(`The file nests deeper than ${maxDepth} levels`);
  }
}

function refusal(file: string, problems: readonly string[]): ConfigError {
  const lines = problems.slice(0, maxProblems).map((problem) => `${file}:${problem}`);
  if (problems.length > maxProblems) lines.push(`${file}  and ${problems.length - maxProblems} more`);
  return new ConfigError(lines.join("\n"));
}
