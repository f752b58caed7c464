import { ConfigError } from "../../core/errors.ts";
import { suggestion } from "../../lib/did-you-mean.ts";
import { writeStdout } from "../../runtime/process.ts";
import type { CommandInput } from "../command.ts";
import { type BackendInfo, backendInfo } from "./backend-info.ts";
import { backendEntries, openConfigFile } from "./config-file.ts";

export async function run(input: CommandInput): Promise<number> {
  const name = input.text("name") as string;
  const file = await openConfigFile(input.global);
  const entries = await backendEntries(file);
  const entry = entries.find(([other]) => other === name)?.[1];
  if (entry === undefined) {
    const hint = suggestion(
      name,
      entries.map(([other]) => other),
    );
    throw new ConfigError(`Backend "${name}" is not in ${file.label}${hint}`);
  }
  const info = backendInfo(name, entry);
  const { transport, description, enabled, replicas = [] } = info;
  const lines = [
    `Name:        ${name}`,
    `Transport:   ${transport}`,
    `Description: ${description || "(no description)"}`,
    `Enabled:     ${enabled ? "yes" : "no"}`,
    ...serverLines(info),
    ...replicas.flatMap((replica, at) => {
      const { id, weight } = replica;
      const named = [`Replica ${at + 1}${id === undefined ? "" : ` "${id}"`}`, weight && `weight ${weight}`];
      return [`${named.filter(Boolean).join(", ")}:`, ...serverLines(replica).map((line) => `  ${line}`)];
    }),
  ];
  await writeStdout(`${lines.join("\n")}\n`);
  return 0;
}

function serverLines({ command, url, env }: Pick<BackendInfo, "command" | "url" | "env">): string[] {
  return [
    ...(command === undefined ? [] : [`Command:     ${command}`]),
    ...(url === undefined ? [] : [`URL:         ${url}`]),
    ...(Object.keys(env).length === 0 ? [] : ["Environment:"]),
    ...Object.entries(env).map(([key, value]) => `  ${key}=${value}`),
  ];
}
