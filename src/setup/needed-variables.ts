/**
 * Clients hand their whole environment to a server, the gateway only what its entry names. For the servers we know, this
 * says which variables an entry would have to name.
 */
import type { Settings } from "../config/path.ts";
import { commandWords, textsOf } from "./found-server.ts";
import { knownServers } from "./known-servers.ts";

/** `["npx", "-y", "@scope/name@1.2", "--flag"]` → `@scope/name` */
export function packageOf([program = "", ...words]: readonly string[]): string | undefined {
  if (!/^(?:npx|uvx|bunx)(?:\.cmd)?$/.test(program)) return undefined;
  return words.find((word) => !word.startsWith("-"))?.replace(/(?<=.)@[^/]*$/, "");
}

/** Variables that the server of this entry usually needs, and that the entry does not hand over. */
export function missingVariables(entry: Settings): string[] {
  const name = packageOf(commandWords(entry));
  if (name === undefined) return [];
  const known = Object.values(knownServers).find(({ command = "" }) => packageOf(command.split(" ")) === name);
  const given = textsOf(entry["env"]);
  return Object.entries(known?.env ?? {}).flatMap(([variable, value]) =>
    /\$\{\w+\}/.test(value) && given[variable] === undefined ? [variable] : [],
  );
}
