import { joinCommand } from "../../config/command-line.ts";
import { addBackend } from "../../config/edit.ts";
import type { Settings } from "../../config/path.ts";
import { writeAtomic } from "../../runtime/files.ts";
import { type CommandInput, UsageError } from "../command.ts";
import { backendInfo } from "./backend-info.ts";
import { openConfigFile } from "./config-file.ts";
import { sayDone } from "./say-done.ts";

export async function run(input: CommandInput): Promise<number> {
  const name = input.text("name") as string;
  const entry = entryFrom(input);
  const file = await openConfigFile(input.global);
  await writeAtomic(file.path, await addBackend(file.text, file.label, name, entry));
  await sayDone(`Added '${name}' (${backendInfo(name, entry).transport}).`);
  return 0;
}

/** One line for the command, so that other readers of the file understand it too. */
function entryFrom(input: CommandInput): Settings {
  const [command, url] = [input.rest.length > 0 ? joinCommand(input.rest) : input.text("command"), input.text("url")];
  if (command === undefined && url === undefined)
    throw new UsageError('A backend needs a command behind "--", or --command, or --url');
  if (command !== undefined && url !== undefined) throw new UsageError("A backend has a command or a URL, not both");
  const description = input.text("description");
  const env = Object.fromEntries(input.list("env").map(assignment));
  return {
    ...(command === undefined ? { http_url: url } : { command }),
    ...(description !== undefined && { description }),
    ...(Object.keys(env).length > 0 && { env }),
  };
}

function assignment(text: string): [string, string] {
  const equals = text.indexOf("=");
  if (equals <= 0) throw new UsageError(`--env must be KEY=VALUE, not "${text}"`);
  return [text.slice(0, equals), text.slice(equals + 1)];
}
