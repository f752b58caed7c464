import { writeStdout } from "../../runtime/process.ts";
import type { CommandInput } from "../command.ts";
import { backendInfo } from "./backend-info.ts";
import { backendEntries, openConfigFile } from "./config-file.ts";

export async function run(input: CommandInput): Promise<number> {
  if (input.flag("known")) return listKnown(input.flag("json"));
  const file = await openConfigFile(input.global);
  const backends = (await backendEntries(file)).map(([name, entry]) => backendInfo(name, entry));
  if (input.flag("json")) await writeStdout(`${JSON.stringify(backends, null, 2)}\n`);
  else if (backends.length === 0) await writeStdout(`No backends configured in ${file.label}.\n`);
  else {
    const lines = backends.flatMap(({ name, transport, description, enabled, replicas }) => [
      `  ${name} (${replicas === undefined ? transport : `${replicas.length} replicas`})${enabled ? "" : " [disabled]"}`,
      `    ${description || "(no description)"}`,
    ]);
    await writeStdout(`${[`${backends.length} backend(s) in ${file.label}:`, ...lines].join("\n")}\n`);
  }
  return 0;
}

/** Loaded only when asked for: it is longer than all of this. */
async function listKnown(asJson: boolean): Promise<number> {
  const { knownServers, knownServerEntry, requiredVariables } = await import("../../setup/known-servers.ts");
  const servers = Object.entries(knownServers);
  if (asJson) {
    const rows = servers.map(([name, server]) => ({
      name,
      category: server.category,
      ...knownServerEntry(server),
      required_env: requiredVariables(server),
    }));
    await writeStdout(`${JSON.stringify(rows, null, 2)}\n`);
    return 0;
  }
  const width = Math.max(...servers.map(([name]) => name.length));
  await writeStdout(servers.map(([name, { description }]) => `${name.padEnd(width)}  ${description}\n`).join(""));
  return 0;
}
