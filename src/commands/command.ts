/** What a command is: data for the help and the parser, and a lazily loaded body. Structurally a citty command. */
import type { ArgDef, ArgsDef, CommandDef, SubCommandsDef } from "citty";
import type { GlobalOptions } from "./global-options.ts";

/** citty's definition; `repeatable` options may be given more than once. */
export type OptionDef = ArgDef & { readonly repeatable?: boolean };
export type OptionDefs = Readonly<Record<string, OptionDef>>;

export interface CommandInput {
  /** Value of a `string` or `enum` option, or of a named positional. */
  text(name: string): string | undefined;
  flag(name: string): boolean;
  /** Values of a repeatable option. */
  list(name: string): readonly string[];
  /** Every word that is neither option nor command. */
  readonly words: readonly string[];
  /** Everything behind `--`, untouched. */
  readonly rest: readonly string[];
  readonly global: GlobalOptions;
}

export interface Command {
  readonly meta: { readonly name: string; readonly description: string };
  readonly args?: OptionDefs;
  /** Takes any number of words beyond its named positionals. */
  readonly manyWords?: boolean;
  /** Takes words behind `--`. */
  readonly takesRest?: boolean;
  readonly subCommands?: Readonly<Record<string, Command>>;
  /** Resolves with the exit code. The body is always import()ed, so that help and other commands do not pay for it. */
  run?(input: CommandInput): Promise<number>;
}

/** The command line cannot be understood: exit code 2. */
export class UsageError extends Error {
  /** Of the command it was given to, where that much is understood. */
  path: readonly string[] = [];
}

/** For citty's help: the same data, `args` instead of the command's own. */
export function toCitty({ meta, subCommands }: Command, args: OptionDefs): CommandDef {
  return { meta, args: { ...args } as ArgsDef, subCommands: { ...subCommands } as unknown as SubCommandsDef };
}
