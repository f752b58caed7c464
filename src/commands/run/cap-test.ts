import type { ListedCapability } from "../../capabilities/capability.ts";
import { loadCapability } from "../../capabilities/load.ts";
import { ConfigError } from "../../core/errors.ts";
import { maxYamlBytes } from "../../lib/yaml-limits.ts";
import { exists, readText } from "../../runtime/files.ts";
import { resolve } from "../../runtime/paths.ts";
import { workingDirectory, writeStderr, writeStdout } from "../../runtime/process.ts";
import type { CommandInput } from "../command.ts";
import { answerText, callOnce, findCapability, parseArguments, readCapabilities } from "./capability-source.ts";

export async function run(input: CommandInput): Promise<number> {
  const args = parseArguments("--args", input.text("args") as string);
  const capability = await named(input.text("file") as string);
  await writeStdout(`${answerText(await callOnce(capability, args, input))}\n`);
  return 0;
}

async function named(file: string): Promise<ListedCapability> {
  const path = resolve(workingDirectory(), file);
  if (!(await exists(path))) {
    // Whoever writes a path means a file.
    if (/[\\/]|\.ya?ml$/.test(file)) throw new ConfigError(`"${file}" does not exist`);
    return findCapability(await readCapabilities(undefined, true), file);
  }
  const { capability, webhooks, warnings } = await loadCapability({
    path: file,
    content: { text: await readText(path, maxYamlBytes) },
  });
  for (const warning of warnings) await writeStderr(`${warning}\n`);
  if (webhooks.length > 0 && capability === undefined)
    throw new ConfigError(`"${file}" has webhooks and no tool that could be called`);
  if (capability === undefined) throw new ConfigError(`"${file}" cannot be used`);
  return { ...capability, load: async () => capability };
}
