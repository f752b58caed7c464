/** One server as a client has it in its settings, turned into an entry of `backends`. */
import { joinCommand, splitCommand } from "../config/command-line.ts";
import { isMap, type Settings } from "../config/path.ts";
import { resolve } from "../runtime/paths.ts";
import { type References, withOwnReferences } from "./client-references.ts";

export interface ReadEntry {
  readonly entry: Settings;
  /** What the user should know of it, a sentence each. */
  readonly notes: readonly string[];
}

/** The entry, or why it is none. */
export function readEntry(raw: unknown, at: References): ReadEntry | { readonly refused: string } {
  if (!isMap(raw)) return { refused: "is not an object" };
  const notes: string[] = [];
  const own = (text: string) =>
    withOwnReferences(text, at, (variable) => notes.push(`asks for a value: set ${variable} in the environment`));
  // Older entries of Continue keep everything in `transport`, older ones of Zed in `command`.
  const outer = isMap(raw["transport"]) ? { ...raw, ...raw["transport"] } : raw;
  const source = isMap(outer["command"]) ? { ...outer, ...outer["command"], command: outer["command"]["path"] } : outer;

  const common = {
    ...(typeof source["description"] === "string" && { description: source["description"] }),
    ...((source["disabled"] === true || source["enabled"] === false) && { enabled: false }),
    ...seconds("timeout", source["tool_timeout_sec"]),
    ...seconds("start_timeout", source["startup_timeout_sec"]),
  };
  const url = source["url"] ?? source["serverUrl"] ?? source["httpUrl"];
  if (typeof url === "string" && url !== "") {
    const headers = headersOf(source, own);
    return { entry: { http_url: own(url), ...common, ...(isFilled(headers) && { headers }) }, notes };
  }
  const words = wordsOf(source);
  if (words === undefined) return { refused: "has neither a command nor a URL" };
  const bridged = words.findIndex((word) => /^mcp-remote(?:@.*)?$/.test(word));
  if (bridged >= 0)
    notes.push(
      `is a bridge to ${URL.parse(words[bridged + 1] ?? "")?.host ?? "a URL"}: the gateway can connect there itself, as "http_url"`,
    );
  if (typeof source["envFile"] === "string") notes.push(`reads ${source["envFile"]}: name it in "env_files"`);
  const env = environmentOf(source, own);
  const cwd = workingFolder(source["cwd"], words, at, own);
  const entry = {
    command: joinCommand(words.map(own)),
    ...common,
    ...(cwd !== undefined && { cwd }),
    ...(isFilled(env) && { env }),
  };
  return { entry, notes };
}

function wordsOf({ command, args }: Settings): string[] | undefined {
  const more = Array.isArray(args) ? args.map(String) : [];
  if (Array.isArray(command) && command.length > 0) return [...command.map(String), ...more];
  if (typeof command !== "string" || command.trim() === "") return undefined;
  // With arguments of its own it is a line; a Windows path is none, whatever blanks and backslashes it has.
  const split = splitCommand(command);
  const isLine = !Array.isArray(args) && !command.includes("\\") && "words" in split && split.words.length > 1;
  return [...(isLine ? split.words : [command]), ...more];
}

function environmentOf({ env, env_vars: passed }: Settings, own: (text: string) => string): Record<string, string> {
  const names = Array.isArray(passed) ? passed.map((one) => (isMap(one) ? one["name"] : one)) : [];
  const inherited = names.filter((name) => typeof name === "string").map((name) => [name, `\${${name}}`]);
  return { ...Object.fromEntries(inherited), ...texts(env, own) };
}

function headersOf(source: Settings, own: (text: string) => string): Record<string, string> {
  const requested = isMap(source["requestOptions"]) ? source["requestOptions"]["headers"] : undefined;
  const headers = texts(source["headers"] ?? source["http_headers"] ?? requested, own);
  for (const [name, variable] of Object.entries(texts(source["env_http_headers"]))) headers[name] = `\${${variable}}`;
  const variable = source["bearer_token_env_var"];
  if (typeof variable === "string") headers["Authorization"] = `Bearer \${${variable}}`;
  else if (typeof source["bearer_token"] === "string") headers["Authorization"] = `Bearer ${source["bearer_token"]}`;
  return headers;
}

/** Given, or the project's where a word of the command is a path that begins there. */
function workingFolder(cwd: unknown, words: readonly string[], at: References, own: (text: string) => string) {
  const base = at.project ?? at.machine.home;
  if (typeof cwd === "string" && cwd !== "") return resolve(base, own(cwd));
  return at.project !== undefined && words.some((word) => /^\.{1,2}(?:[/\\]|$)/.test(word)) ? at.project : undefined;
}

function seconds(key: string, value: unknown): Settings {
  if (typeof value !== "number" || value <= 0) return {};
  return { [key]: Number.isInteger(value) ? `${value}s` : `${Math.ceil(value * 1_000)}ms` };
}

function texts(map: unknown, own = (text: string) => text): Record<string, string> {
  if (!isMap(map)) return {};
  const entries = Object.entries(map).filter(([, value]) => ["string", "number", "boolean"].includes(typeof value));
  return Object.fromEntries(entries.map(([key, value]) => [key, own(String(value))]));
}

function isFilled(map: object): boolean {
  return Object.keys(map).length > 0;
}
