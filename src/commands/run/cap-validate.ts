import type { Action, Capability, Provider } from "../../capabilities/capability.ts";
import { usesKey } from "../../capabilities/key-source.ts";
import { loadCapability } from "../../capabilities/load.ts";
import { readPin } from "../../capabilities/pin.ts";
import type { Webhook } from "../../capabilities/webhooks/webhook.ts";
import { ConfigError } from "../../core/errors.ts";
import { maxYamlBytes } from "../../lib/yaml-limits.ts";
import { isMissing, readText } from "../../runtime/files.ts";
import { resolve } from "../../runtime/paths.ts";
import { workingDirectory, writeStderr, writeStdout } from "../../runtime/process.ts";
import type { CommandInput } from "../command.ts";

interface Verdict {
  readonly file: string;
  readonly valid: boolean;
  readonly name?: string;
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

/** Problems and warnings go to stderr, verdicts to stdout. */
export async function run(input: CommandInput): Promise<number> {
  const verdicts: Verdict[] = [];
  for (const file of input.words) {
    const { verdict, lines } = await validate(file);
    verdicts.push(verdict);
    if (input.flag("json")) continue;
    for (const line of [...verdict.problems, ...verdict.warnings]) await writeStderr(`${line}\n`);
    await writeStdout(lines.map((line) => `${line}\n`).join(""));
  }
  if (input.flag("json")) await writeStdout(`${JSON.stringify(verdicts, undefined, 2)}\n`);
  return verdicts.every(({ valid }) => valid) ? 0 : 1;
}

async function validate(file: string): Promise<{ verdict: Verdict; lines: string[] }> {
  const bad = (problems: readonly string[], warnings: readonly string[] = []) => ({
    verdict: { file, valid: false, problems, warnings },
    lines: [`❌ ${file} - not valid`],
  });
  try {
    const text = await readText(resolve(workingDirectory(), file), maxYamlBytes);
    const { name, capability, webhooks, warnings } = await loadCapability({ path: file, content: { text } });
    const { expected, actual } = readPin(text);
    if (expected !== undefined && expected !== actual)
      return bad([`${file}:1:1  The file is not what its pin says: ${actual} instead of ${expected}`], warnings);
    if (capability === undefined && webhooks.length === 0) return bad([], warnings);
    const lines = [`✅ ${name} - valid`, ...aboutTool(capability), ...webhooks.map(aboutWebhook)];
    return { verdict: { file, valid: true, name, problems: [], warnings }, lines };
  } catch (error) {
    if (error instanceof ConfigError) return bad(error.message.split("\n"));
    if (isMissing(error)) return bad([`"${file}" does not exist`]);
    return bad([`Cannot read "${file}": ${error instanceof Error ? error.message : String(error)}`]);
  }
}

function aboutTool(capability: Capability | undefined): string[] {
  if (capability === undefined) return [];
  return [`   ${String(capability.tool["description"]).trim()}`, ...capability.providers.flatMap(about)];
}

function aboutWebhook({ name, method, path, secret, signatureHeader }: Webhook): string {
  return `   Webhook: ${name}, ${method} ${path}, ${secret === undefined ? "no secret" : `signed in ${signatureHeader}`}`;
}

function about({ name, action, auth }: Provider): string[] {
  const key = usesKey(auth) ? `${auth.type || "bearer"} ${auth.key}${auth.required ? "" : " (optional)"}` : "none";
  return [`   Provider: ${name}`, `   URL: ${targetOf(action)}`, `   Auth: ${key}`];
}

function targetOf(action: Action): string {
  if (action.service === "mcp") return `mcp ${action.mcp.server}:${action.mcp.tool}`;
  if (action.service === "cli") {
    const args = action.cli.args.map((each) => (typeof each === "string" ? each : JSON.stringify(each)));
    return [action.cli.command, ...args].join(" ");
  }
  const { endpoint, base_url, path, method } = action.http;
  return `${action.service === "rest" ? method : action.service} ${endpoint ?? `${base_url}${path}`}`;
}
