import { loadCapability } from "../../capabilities/load.ts";
import { readPin, withPin } from "../../capabilities/pin.ts";
import { ConfigError } from "../../core/errors.ts";
import { maxYamlBytes } from "../../lib/yaml-limits.ts";
import { isMissing, readText, writeAtomic } from "../../runtime/files.ts";
import { resolve } from "../../runtime/paths.ts";
import { workingDirectory, writeStdout } from "../../runtime/process.ts";
import type { CommandInput } from "../command.ts";

/** All files are read and valid before the first one is written. */
export async function run(input: CommandInput): Promise<number> {
  const pinned = new Map<string, string>();
  for (const file of input.words) {
    const text = await read(file);
    await loadCapability({ path: file, content: { text } });
    pinned.set(file, withPin(text));
  }
  for (const [file, text] of pinned) {
    await writeAtomic(resolve(workingDirectory(), file), text);
    await writeStdout(`${readPin(text).expected}  ${file}\n`);
  }
  return 0;
}

async function read(file: string): Promise<string> {
  try {
    return await readText(resolve(workingDirectory(), file), maxYamlBytes);
  } catch (error) {
    if (isMissing(error)) throw new ConfigError(`"${file}" does not exist`);
    throw error;
  }
}
