/** From arguments to an exit code: finds the command, shows help, runs the body, reports what went wrong. */
import { GatewayError } from "../core/errors.ts";
import { version } from "../core/version.ts";
import { environmentVariable, writeStderr } from "../runtime/process.ts";
import { type CommandInput, UsageError } from "./command.ts";
import { globalArgs, globalOptions } from "./global-options.ts";
import { type ParsedLine, parseLine, UnknownNameError } from "./parse.ts";
import { serveRoot } from "./serve-root.ts";

/** 0 success, 1 failure, 2 a command line that cannot be understood. Diagnostics go to stderr. */
export async function runCommandLine(argv: readonly string[]): Promise<number> {
  // `mcp-gateway help add` is `mcp-gateway add --help`.
  const line = argv[0] === "help" ? [...argv.slice(1), "--help"] : argv;
  try {
    // The descriptors of all the others are a tenth of the code that a start would have to read.
    const isServe = line[0] === undefined || line[0] === "serve";
    const parsed = parseLine(line, isServe ? serveRoot : (await import("./root.ts")).root, globalArgs);
    if (isSet(parsed, "help")) return print(await (await import("./help.ts")).helpText(parsed));
    if (isSet(parsed, "version")) return print(version);
    return await runParsed(parsed);
  } catch (error) {
    return report(error);
  }
}

async function runParsed(parsed: ParsedLine): Promise<number> {
  const { command, path } = parsed;
  try {
    if (command.run === undefined) throw new UsageError(`"${path.join(" ")}" needs a command`);
    return await command.run(inputOf(parsed));
  } catch (error) {
    if (error instanceof UsageError) error.path = path;
    throw error;
  }
}

/** @throws UsageError */
function inputOf(parsed: ParsedLine): CommandInput {
  const { command, options, words, rest } = parsed;
  const positionals = Object.entries(command.args ?? {}).filter(([, def]) => def.type === "positional");
  for (const [at, [name, def]] of positionals.entries())
    if (def.required !== false && words[at] === undefined) throw new UsageError(`${name.toUpperCase()} is missing`);
  const surplus = words[positionals.length];
  if (surplus !== undefined && !command.manyWords) throw new UsageError(`"${surplus}" is one word too many`);
  if (rest.length > 0 && !command.takesRest) throw new UsageError('Nothing is taken behind "--"');
  const text = (name: string) => {
    const at = positionals.findIndex(([positional]) => positional === name);
    const fallback = command.args?.[name]?.default;
    return at >= 0 ? words[at] : (options.get(name)?.[0] ?? (fallback === undefined ? undefined : String(fallback)));
  };
  return {
    text,
    flag: (name) => text(name) === "true",
    list: (name) => options.get(name) ?? [],
    words,
    rest,
    global: globalOptions(
      (name) => options.get(name)?.[0],
      (name) => isSet(parsed, name),
      environmentVariable,
    ),
  };
}

function isSet({ options }: ParsedLine, name: string): boolean {
  return options.get(name)?.[0] === "true";
}

/** `console.log`, because the stream behind `writeStdout` takes longer to make than the text to write. */
function print(text: string): number {
  console.log(text);
  return 0;
}

async function report(error: unknown): Promise<number> {
  if (error instanceof UsageError) {
    const help = ["mcp-gateway", ...error.path, "--help"].join(" ");
    await writeStderr(`${error.message}${await meant(error)}\nSee "${help}"\n`);
    return 2;
  }
  const hint = error instanceof GatewayError && error.hint !== undefined ? `\n${error.hint}` : "";
  await writeStderr(`${error instanceof Error ? error.message : String(error)}${hint}\n`);
  return 1;
}

async function meant(error: UsageError): Promise<string> {
  if (!(error instanceof UnknownNameError)) return "";
  const { suggestion } = await import("../lib/did-you-mean.ts");
  return suggestion(error.unknown, error.known);
}
