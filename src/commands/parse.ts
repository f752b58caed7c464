/**
 * Reads the command line against citty's definitions, strictly: citty's own parser accepts unknown options, keeps only
 * the last of repeated ones, and gives options before a command to nobody.
 */
import { type Command, type OptionDef, type OptionDefs, UsageError } from "./command.ts";

export interface ParsedLine {
  readonly command: Command;
  /** `mcp-gateway config schema` → `["config", "schema"]` */
  readonly path: readonly string[];
  readonly options: ReadonlyMap<string, readonly string[]>;
  readonly words: readonly string[];
  readonly rest: readonly string[];
}

/** What the line must not have: the message, and the name that was not known with those that are. */
export class UnknownNameError extends UsageError {
  readonly unknown: string;
  readonly known: readonly string[];

  constructor(message: string, unknown: string, known: readonly string[]) {
    super(message);
    this.unknown = unknown;
    this.known = known;
  }
}

/**
 * @param root its own `args` are what it takes without a command
 * @param globals taken before and behind every command
 * @throws UsageError
 */
export function parseLine(argv: readonly string[], root: Command, globals: OptionDefs): ParsedLine {
  const divider = argv.indexOf("--");
  const tokens = divider < 0 ? argv : argv.slice(0, divider);
  const rest = divider < 0 ? [] : argv.slice(divider + 1);
  const { command, path } = findCommand(tokens, root, globals);
  try {
    // The command's own come first: `stats -p` is its price, not the port.
    const { options, words } = readTokens(tokens, { ...command.args, ...globals, ...command.args });
    return { command, path, options, words: words.slice(path.length), rest };
  } catch (error) {
    if (error instanceof UsageError) error.path = path;
    throw error;
  }
}

function readTokens(tokens: readonly string[], defs: OptionDefs) {
  const options = new Map<string, string[]>();
  const words: string[] = [];
  for (let at = 0; at < tokens.length; at += 1) {
    const token = tokens[at] as string;
    if (!isOption(token)) {
      words.push(token);
      continue;
    }
    const { name, def, value, negated } = readOption(token, defs);
    const next = tokens[at + 1];
    let text = value;
    if (takesValue(def)) {
      if (text === undefined) {
        if (next === undefined) throw new UsageError(`--${name} needs a value`);
        text = next;
        at += 1;
      }
    } else if (text === undefined && !negated && (next === "true" || next === "false")) {
      text = next;
      at += 1;
    }
    if (def.type === "enum") {
      // Older command lines have their levels in capitals.
      const given = text;
      text = def.options?.find((option) => option === given?.toLowerCase());
      if (text === undefined)
        throw new UsageError(`--${name} must be one of ${def.options?.join(", ")}, not "${given}"`);
    }
    const values = options.get(name);
    if (values === undefined || def.repeatable !== true) options.set(name, [text ?? String(!negated)]);
    else values.push(text as string);
  }
  return { options, words };
}

/** The deepest command the words name; the others are left to it. */
function findCommand(tokens: readonly string[], root: Command, globals: OptionDefs) {
  let command = root;
  const path: string[] = [];
  const defs = { ...root.args, ...globals };
  for (let at = 0; at < tokens.length && command.subCommands !== undefined; at += 1) {
    const token = tokens[at] as string;
    if (isOption(token)) {
      const def = findOption(optionName(token), defs)?.[1];
      if (def !== undefined && takesValue(def) && !token.includes("=")) at += 1;
      continue;
    }
    const known = Object.keys(command.subCommands);
    if (!known.includes(token)) {
      // The word may as well be the value of a misspelt option.
      const before = tokens[at - 1];
      if (before !== undefined && isOption(before)) readOption(before, defs);
      throw new UnknownNameError(`Unknown command "${token}"`, token, known);
    }
    command = command.subCommands[token] as Command;
    path.push(token);
  }
  return { command, path };
}

function readOption(token: string, defs: OptionDefs) {
  const written = optionName(token);
  const equals = token.indexOf("=");
  const value = equals < 0 ? undefined : token.slice(equals + 1);
  const found = findOption(written, defs);
  if (found !== undefined) return { name: found[0], def: found[1], value, negated: false };
  const positive = written.startsWith("--no-") ? findOption(`--${written.slice(5)}`, defs) : undefined;
  if (positive !== undefined && !takesValue(positive[1]) && value === undefined)
    return { name: positive[0], def: positive[1], value, negated: true };
  const known = Object.entries(defs)
    .filter(([, def]) => def.type !== "positional")
    .map(([name]) => `--${name}`);
  throw new UnknownNameError(`Unknown option "${written}"`, written, known);
}

function findOption(written: string, defs: OptionDefs): [string, OptionDef] | undefined {
  return Object.entries(defs).find(([name, def]) => {
    if (def.type === "positional") return false;
    return written === `--${name}` || ("alias" in def && def.alias !== undefined && written === `-${def.alias}`);
  });
}

function optionName(token: string): string {
  return token.split("=", 1)[0] as string;
}

/** A lone `-` and negative numbers are words. */
function isOption(token: string): boolean {
  const letter = token.charCodeAt(token.startsWith("--") ? 2 : 1) | 0x20;
  return token.startsWith("-") && letter >= 0x61 && letter <= 0x7a;
}

function takesValue(def: OptionDef): boolean {
  return def.type === "string" || def.type === "enum";
}
