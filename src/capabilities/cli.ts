/**
 * Runs a capability of service `cli`. What a caller sends fills one argument and never makes one: no shell reads it, and
 * it cannot pose as an option of the program (T12).
 */
import { isLongNumber } from "../lib/exact-json.ts";
import { isJsonObject, type Json } from "../lib/json.ts";
import type { Environment } from "../runtime/process.ts";
import type { CliSettings } from "./definition-schema.ts";
import { type ProgramResult, runProgram } from "./program.ts";
import { Refusal } from "./refusal.ts";
import { excerpt, type RawAnswer, type Reading } from "./response.ts";
import { asText, isSetting, placeholdersIn, renderText, renderValue, type Scope, solePlaceholder } from "./template.ts";

const maxOutputBytes = 16_777_216;

/** What the program wrote. @throws Refusal when it cannot be run or ends with another code than 0 */
export async function runCli(
  cli: CliSettings,
  scope: Scope,
  reading: Reading,
  signal: AbortSignal,
): Promise<RawAnswer> {
  const command = renderText(cli.command, scope);
  if (command === undefined || command === "")
    throw new Refusal(
      `The program of this capability, "${cli.command}", is not set`,
      "Ask the operator of the gateway",
      {
        outcome: "unsent",
      },
    );
  const result = await runProgram({
    argv: [command, ...programArguments(cli.args, scope)],
    env: environmentOf(cli, scope),
    cwd: cli.cwd === undefined ? undefined : renderText(cli.cwd, scope),
    stdin: cli.stdin === undefined ? undefined : renderText(cli.stdin, scope),
    maxBytes: maxOutputBytes,
    signal,
  });
  if (result.exit.code !== 0) throw failure(command, result, reading);
  return { bytes: result.stdout, mimeType: "" };
}

/** @throws Refusal for a value that the program would take as an option, or that no program can be given */
function programArguments(templates: CliSettings["args"], scope: Scope): string[] {
  const argv: string[] = [];
  let optionsEnded = false;
  for (const template of templates) {
    if (isJsonObject(template)) {
      argv.push(JSON.stringify(renderValue(template, scope) ?? {}));
      continue;
    }
    const group = typeof template === "string" ? [template] : template;
    const rendered = group.map((text) => renderArgument(text, scope, optionsEnded));
    if (rendered.some((values) => values === undefined)) continue;
    argv.push(...(rendered as string[][]).flat());
    optionsEnded ||= group.includes("--");
  }
  return argv;
}

/** A list as the whole value is as many arguments; `undefined` without a value. */
function renderArgument(template: string, scope: Scope, optionsEnded: boolean): string[] | undefined {
  const sole = solePlaceholder(template);
  const value = sole === undefined ? undefined : renderValue(template, scope);
  if (sole !== undefined && (value === undefined || value === null)) return undefined;
  const values = (Array.isArray(value) ? value : [value]) as Json[];
  const texts = sole === undefined ? [renderText(template, scope)] : values.map(asText);
  // A value may begin the argument where the file says nothing before it.
  const [name] = placeholdersIn(template);
  const isFree = name !== undefined && template.startsWith(`{${name}}`) && !isSetting(name) && !optionsEnded;
  for (const [at, text] of texts.entries()) {
    if (text === undefined) return undefined;
    if (text.includes("\0")) throw new Refusal(`"${name}" must not have a NUL character`);
    if (isFree && text.startsWith("-") && typeof values[at] !== "number" && !isLongNumber(values[at]))
      throw new Refusal(`"${name}" must not begin with "-": the program would take it as an option`);
  }
  return texts as string[];
}

function environmentOf({ env }: CliSettings, scope: Scope): Environment {
  return Object.fromEntries(Object.entries(env).map(([name, template]) => [name, renderText(template, scope)]));
}

function failure(command: string, { exit, stdout, stderr }: ProgramResult, reading: Reading): Refusal {
  const how = exit.code === null ? `was ended by ${exit.signal}` : `ended with exit code ${exit.code}`;
  const said = stderr.trim() || new TextDecoder().decode(stdout.subarray(-8_192)).trim();
  return new Refusal(`"${command}" ${how}`, excerpt(said, reading), { outcome: "unanswered" });
}
