import { writeStdout } from "../../runtime/process.ts";
import type { CommandInput } from "../command.ts";
import { backendInfo } from "./backend-info.ts";
import { backendEntries, openConfigFile } from "./config-file.ts";

export async function run(input: CommandInput): Promise<number> {
  const file = await openConfigFile(input.global);
  const backends = (await backendEntries(file)).map(([name, entry]) => backendInfo(name, entry));
  if (input.flag("json")) await writeStdout(`${JSON.stringify(backends, null, 2)}\n`);
  else if (backends.length === 0) await writeStdout(`No backends configured in ${file.label}.\n`);
  else {
    const lines = backends.flatMap(({ name, transport, description, enabled }) => [
      `  ${name} (${transport})${enabled ? "" : " [disabled]"}`,
      `    ${description || "(no description)"}`,
    ]);
    await writeStdout(`${[`${backends.length} backend(s) in ${file.label}:`, ...lines].join("\n")}\n`);
  }
  return 0;
}
