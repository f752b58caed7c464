/** The capabilities a command works on: those of a folder and of the program, with the settings the gateway would use. */

import { checkArguments } from "../../capabilities/arguments.ts";
import type { ListedCapability } from "../../capabilities/capability.ts";
import { createExecution } from "../../capabilities/create-execution.ts";
import { createLibrary } from "../../capabilities/library.ts";
import { Refusal } from "../../capabilities/refusal.ts";
import { loadConfig } from "../../config/load.ts";
import { ConfigError } from "../../core/errors.ts";
import type { Logger } from "../../core/log.ts";
import { systemClock } from "../../lib/clock.ts";
import { suggestion } from "../../lib/did-you-mean.ts";
import { isJsonObject, type JsonObject } from "../../lib/json.ts";
import { dataDirectory, expandHome, resolve } from "../../runtime/paths.ts";
import { environment, environmentVariable, printError, workingDirectory } from "../../runtime/process.ts";
import { type CommandInput, UsageError } from "../command.ts";

/** The folder of `--capabilities`, of MCP_GATEWAY_CAPABILITIES, or the usual one; absolute. */
export function capabilityDirectory(given: string | undefined): string {
  const chosen = given ?? (environmentVariable("MCP_GATEWAY_CAPABILITIES") || "capabilities");
  return resolve(workingDirectory(), expandHome(chosen, environment()));
}

/** By name, in the order of names. Files that are wrong are told on stderr and left out. */
export async function readCapabilities(
  directory: string | undefined,
  builtin: boolean,
): Promise<ReadonlyMap<string, ListedCapability>> {
  const library = createLibrary(directory === undefined ? [] : [directory], builtin, stderrLog);
  const { tools } = await library.load();
  return new Map([...tools].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** @throws ConfigError naming the nearest one */
export function findCapability(capabilities: ReadonlyMap<string, ListedCapability>, name: string): ListedCapability {
  const found = capabilities.get(name);
  if (found !== undefined) return found;
  throw new ConfigError(`There is no capability "${name}"${suggestion(name, [...capabilities.keys()])}`);
}

/** Calls it with the environment and the guards of the configuration in use; the answer as `tools/call` would give it. */
export async function callOnce(
  capability: ListedCapability,
  args: JsonObject,
  { global }: CommandInput,
): Promise<JsonObject> {
  const { problems, ...checked } = checkArguments(capability.tool["inputSchema"] as JsonObject, args);
  if (problems.length > 0)
    throw new ConfigError(`The arguments of "${capability.name}" cannot be used:\n${problems.join("\n")}`);
  const { config: path, overrides, dataDir } = global;
  const cwd = workingDirectory();
  const { config, env } = await loadConfig({ path, overrides, env: environment(), cwd, fallBack: true });
  const execution = createExecution({
    env,
    stateDirectory: dataDirectory(dataDir, env),
    ssrfProtection: config.security?.ssrf_protection ?? true,
    clock: systemClock,
    projection: { mode: config.meta_mcp?.projection_mode ?? "off" },
  });
  try {
    const { signal } = new AbortController();
    return await execution.run(capability, checked, { method: "tools/call", params: undefined, signal }, signal);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    throw new ConfigError(error.detail === undefined ? error.message : `${error.message}\n${error.detail}`);
  }
}

/** @throws UsageError */
export function parseArguments(option: string, text: string): JsonObject {
  try {
    const value: unknown = JSON.parse(text);
    if (isJsonObject(value)) return value;
  } catch {
    // Told below, the same way.
  }
  throw new UsageError(`${option} must be a JSON object, such as '{"city":"Oulu"}'`);
}

/** The JSON an answer is made of; its content blocks where it is none. */
export function answerText(result: JsonObject): string {
  const { content, structuredContent } = result;
  if (structuredContent !== undefined) return JSON.stringify(structuredContent, undefined, 2);
  const blocks = Array.isArray(content) ? (content as JsonObject[]) : [];
  const isText = blocks.every(({ type }) => type === "text");
  return isText ? blocks.map(({ text }) => String(text)).join("\n") : JSON.stringify(blocks, undefined, 2);
}

/** Warnings and errors as lines on stderr. */
export const stderrLog: Logger = {
  debug() {},
  info() {},
  warn: (message) => printError(message),
  error: (message) => printError(message),
  with: () => stderrLog,
};
