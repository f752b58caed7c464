/** Reads the playbook files of folders, each as what it says or as why it cannot be read. */
import { ConfigError } from "../core/errors.ts";
import { readYaml, YamlError } from "../lib/yaml-document.ts";
import { maxYamlBytes } from "../lib/yaml-limits.ts";
import type { PlaybookSource } from "../meta/playbooks/playbook.ts";
import { isMissing, readText } from "../runtime/files.ts";
import { filesBelow } from "../runtime/watch.ts";

/** Sorted by folder, then by path. @param directories absolute; a missing one is an empty one */
export async function readPlaybooks(
  directories: readonly string[],
): Promise<ReadonlyMap<string, PlaybookSource | ConfigError>> {
  const sources = new Map<string, PlaybookSource | ConfigError>();
  for (const directory of directories)
    for (const path of await filesBelow(directory, [".yaml", ".yml"])) {
      const source = await read(path);
      if (source !== undefined) sources.set(path, source);
    }
  return sources;
}

async function read(path: string): Promise<PlaybookSource | ConfigError | undefined> {
  try {
    const { value, placeOf } = await readYaml(await readText(path, maxYamlBytes));
    return {
      value,
      placeOf(at) {
        const { line, column } = placeOf(at);
        return `${path}:${line}:${column}`;
      },
    };
  } catch (error) {
    // Gone since the folder was read.
    if (isMissing(error)) return undefined;
    if (!(error instanceof YamlError)) return new ConfigError(`${path}  Cannot be read: ${String(error)}`);
    const lines = error.problems.map(({ place, message }) => `${path}:${place.line}:${place.column}  ${message}`);
    return new ConfigError(lines.join("\n"));
  }
}
