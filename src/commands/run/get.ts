import { readSettings } from "../../config/load.ts";
import { type Path, type Settings, valueAt } from "../../config/path.ts";
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
  const { runtime } = await readSettings(file.text, file.label);
  const provider = providerIn(entry, runtime);
  const lines = [
    `Name:        ${name}`,
    `Transport:   ${transport}`,
    `Description: ${description || "(no description)"}`,
    `Enabled:     ${enabled ? "yes" : "no"}`,
    ...serverLines(info, provider),
    ...replicas.flatMap((replica, at) => {
      const { id, weight } = replica;
      const named = [`Replica ${at + 1}${id === undefined ? "" : ` "${id}"`}`, weight && `weight ${weight}`];
      return [`${named.filter(Boolean).join(", ")}:`, ...serverLines(replica, provider).map((line) => `  ${line}`)];
    }),
  ];
  await writeStdout(`${lines.join("\n")}\n`);
  return 0;
}

function serverLines(
  { command, url, env }: Pick<BackendInfo, "command" | "url" | "env">,
  provider: string | undefined,
): string[] {
  return [
    ...(command === undefined ? [] : [`Command:     ${command}`]),
    ...(url === undefined ? [] : [`URL:         ${url}`]),
    ...(command === undefined || provider === undefined ? [] : [`Runtime:     ${provider}`]),
    ...(Object.keys(env).length === 0 ? [] : ["Environment:"]),
    ...Object.entries(env).map(([key, value]) => `  ${key}=${value}`),
  ];
}

/** What the program runs in, as the file has it; `undefined` where the file says nothing about it. */
function providerIn({ runtime_profile: name }: Settings, runtime: unknown): string | undefined {
  if (name === undefined) return textAt(runtime, ["default_provider"]);
  return `${textAt(runtime, ["profiles", String(name), "provider"]) ?? "local_process"} (profile ${String(name)})`;
}

function textAt(value: unknown, path: Path): string | undefined {
  const found = valueAt(value, path);
  return typeof found === "string" ? found : undefined;
}
