/** Completion scripts, written from the same table as the help. Names of backends, known servers, capabilities and skills are asked for when they are needed. */
import { writeStdout } from "../../runtime/process.ts";
import { type Command, type CommandInput, type OptionDef, UsageError } from "../command.ts";
import { globalArgs } from "../global-options.ts";
import { root } from "../root.ts";
import { bashScript, fishScript, zshScript } from "./completion-scripts.ts";
import { exportable } from "./setup-export.ts";

export interface CompletedOption {
  readonly name: string;
  readonly alias: string | undefined;
  readonly description: string;
  /** What may follow: nothing, one of these, a path, or something of the user's own. */
  readonly value: "none" | "path" | "any" | readonly string[];
}

export interface CompletedCommand {
  /** `["config", "show"]`; empty for the program itself. */
  readonly path: readonly string[];
  readonly description: string;
  readonly subCommands: readonly string[];
  readonly options: readonly CompletedOption[];
  /** What its first word is. */
  readonly word: "backend" | "known server" | "capability" | "skill" | "path" | readonly string[] | undefined;
}

const scripts = { bash: bashScript, zsh: zshScript, fish: fishScript };
const words: Readonly<Record<string, CompletedCommand["word"]>> = {
  add: "known server",
  remove: "backend",
  get: "backend",
  validate: "path",
  completions: Object.keys(scripts),
  "cap validate": "path",
  "cap test": "path",
  "cap lint": "path",
  "cap pin": "path",
  "cap import": "path",
  "import preview": "path",
  "import apply": "path",
  "cap install": "capability",
  "tool invoke": "capability",
  "tool inspect": "capability",
  "skills import": "path",
  "skills show": "skill",
  "skills remove": "skill",
};

/** Of options that are no enum, because more than one value is allowed. */
const values: Readonly<Record<string, readonly string[]>> = {
  "setup export --target": [...exportable.map(({ id }) => id), "generic", "all"],
};

export async function run(input: CommandInput): Promise<number> {
  const shell = input.text("shell") as string;
  if (!Object.hasOwn(scripts, shell)) throw new UsageError(`SHELL must be bash, zsh or fish, not "${shell}"`);
  await writeStdout(scripts[shell as keyof typeof scripts](commandsBelow(root, [])));
  return 0;
}

function commandsBelow(command: Command, path: readonly string[]): CompletedCommand[] {
  const subCommands = Object.entries(command.subCommands ?? {});
  const own: CompletedCommand = {
    path,
    description: command.meta.description,
    subCommands: subCommands.map(([name]) => name),
    options: optionsOf(path.join(" "), { ...command.args, ...globalArgs }),
    word: words[path.join(" ")],
  };
  return [own, ...subCommands.flatMap(([name, inner]) => commandsBelow(inner, [...path, name]))];
}

function optionsOf(path: string, defs: Readonly<Record<string, OptionDef>>): CompletedOption[] {
  return Object.entries(defs).flatMap(([name, def]) => {
    if (def.type === "positional") return [];
    const alias = "alias" in def && typeof def.alias === "string" ? def.alias : undefined;
    return [
      { name, alias, description: def.description ?? "", value: values[`${path} --${name}`] ?? completedValue(def) },
    ];
  });
}

function completedValue(def: OptionDef): CompletedOption["value"] {
  if (def.type === "enum") return def.options ?? [];
  if (def.type !== "string") return "none";
  return def.valueHint === "path" ? "path" : "any";
}
