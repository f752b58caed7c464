import { joinCommand } from "../../config/command-line.ts";
import { addBackend } from "../../config/edit.ts";
import type { Settings } from "../../config/path.ts";
import { nearest } from "../../lib/did-you-mean.ts";
import { writeAtomic } from "../../runtime/files.ts";
import { environment, writeStdout } from "../../runtime/process.ts";
import { knownServerEntry, knownServers, requiredVariables } from "../../setup/known-servers.ts";
import { type CommandInput, UsageError } from "../command.ts";
import { backendInfo } from "./backend-info.ts";
import { openConfigFile } from "./config-file.ts";
import { sayDone } from "./say-done.ts";

export async function run(input: CommandInput): Promise<number> {
  const name = input.text("name") as string;
  const given = givenServer(input);
  const known = given === undefined && Object.hasOwn(knownServers, name) ? knownServers[name] : undefined;
  if (given === undefined && known === undefined) {
    const meant = name.length < 3 ? undefined : nearest(name, Object.keys(knownServers));
    const hint = meant === undefined ? "give" : `did you mean "${meant}"? Otherwise give`;
    throw new UsageError(
      `"${name}" is not a server that is known by name: ${hint} its URL, or its command behind "--"`,
    );
  }
  const entry = withOptions(given ?? knownServerEntry(known as NonNullable<typeof known>), input);
  const file = await openConfigFile(input.global);
  await writeAtomic(file.path, await addBackend(file.text, file.label, name, entry));
  await sayDone(`Added '${name}' (${backendInfo(name, entry).transport}).`);
  if (known !== undefined) await writeStdout(requirements({ ...known, ...entry }));
  return 0;
}

/** What the line says the server is: a URL or a command; `undefined` when it says neither. */
function givenServer(input: CommandInput): Settings | undefined {
  const [, ...words] = input.words;
  const transport = input.text("transport");
  // As in "claude mcp add": what follows the name is the URL or the command.
  const isUrl = /^[a-z][a-z\d+.-]*:\/\//i.test(words[0] ?? "") || transport === "http" || transport === "sse";
  const agentUrl = input.text("a2a-url");
  const url = input.text("url") ?? (isUrl ? words[0] : undefined);
  const commandLine = isUrl ? input.rest : [...words, ...input.rest];
  if (isUrl && words.length > 1) throw new UsageError(`"${words[1]}" is one word too many behind the URL`);
  const command = commandLine.length > 0 ? joinCommand(commandLine) : input.text("command");
  if ([command, url, agentUrl].filter((given) => given !== undefined).length > 1)
    throw new UsageError("A backend has a command or a URL, not both");
  if ((url ?? agentUrl) !== undefined && transport === "stdio")
    throw new UsageError("A backend with a URL is not stdio");
  if (command !== undefined && input.list("header").length > 0)
    throw new UsageError("--header is for a backend with a URL");
  if (agentUrl !== undefined) return { a2a_url: agentUrl };
  if (url !== undefined) return { http_url: url };
  // One line for the command, so that other readers of the file understand it too.
  return command === undefined ? undefined : { command };
}

function withOptions(entry: Settings, input: CommandInput): Settings {
  const description = input.text("description");
  const env = { ...(entry["env"] as object | undefined), ...Object.fromEntries(input.list("env").map(assignment)) };
  const headers = {
    ...(entry["headers"] as object | undefined),
    ...Object.fromEntries(input.list("header").map(header)),
  };
  return {
    ...entry,
    ...(description !== undefined && { description }),
    ...(Object.keys(env).length > 0 && { env }),
    ...(Object.keys(headers).length > 0 && { headers }),
  };
}

function requirements(server: Parameters<typeof requiredVariables>[0]): string {
  const env = environment();
  return requiredVariables(server)
    .map((name) => `  Required: ${name} ${env[name] ? "set" : "NOT SET"}\n`)
    .join("");
}

function assignment(text: string): [string, string] {
  const equals = text.indexOf("=");
  if (equals <= 0) throw new UsageError(`--env must be KEY=VALUE, not "${text}"`);
  return [text.slice(0, equals), text.slice(equals + 1)];
}

function header(text: string): [string, string] {
  const [, name, value] = /^([^\s:]+)\s*:\s*(.*)$/s.exec(text) ?? [];
  if (name === undefined || value === undefined) throw new UsageError('--header must be "NAME: VALUE"');
  return [name, value];
}
