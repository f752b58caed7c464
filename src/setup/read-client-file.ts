/** The servers in one file of a client. A file that is not there has none; one that cannot be read says why. */

import { isMap, type Settings, valueAt } from "../config/path.ts";
import { readJsonc } from "../lib/jsonc-document.ts";
import { PlacedError } from "../lib/placed-error.ts";
import { readToml } from "../lib/toml-document.ts";
import { readYaml, YamlError } from "../lib/yaml-document.ts";
import { isMissing, readText } from "../runtime/files.ts";
import type { Machine } from "../runtime/machine.ts";
import { displayPath } from "../runtime/paths.ts";
import type { ClientFile } from "./clients.ts";
import type { FoundServer } from "./found-server.ts";
import { readEntry } from "./read-entry.ts";

export interface FileServers {
  readonly servers: readonly FoundServer[];
  /** One line each, with the file. */
  readonly problems: readonly string[];
}

const maxBytes = 64 * 1_048_576;

export async function readClientFile(title: string, file: ClientFile, machine: Machine): Promise<FileServers> {
  const label = displayPath(file.path, machine.cwd);
  let value: unknown;
  try {
    value = await readValue(await readText(file.path, maxBytes), file.format);
  } catch (error) {
    return isMissing(error) ? { servers: [], problems: [] } : { servers: [], problems: [problemText(label, error)] };
  }
  const servers: FoundServer[] = [];
  const problems: string[] = [];
  for (const key of file.keys)
    for (const [name, raw] of namedEntries(valueAt(value, key))) {
      const read = readEntry(raw, { machine, project: file.project });
      if ("refused" in read) problems.push(`${label}  "${name}" ${read.refused}`);
      else servers.push({ name, ...read, sources: [{ title, path: file.path }] });
    }
  return { servers, problems };
}

/** `undefined` for an empty text. @throws PlacedError or YamlError */
async function readValue(text: string, format: ClientFile["format"]): Promise<unknown> {
  if (format === "json") return readJsonc(text)?.value;
  return format === "toml" ? readToml(text).value : (await readYaml(text)).value;
}

function namedEntries(found: unknown): [string, unknown][] {
  if (Array.isArray(found))
    return found.map((item: unknown, at) => [String((isMap(item) && item["name"]) || `server-${at + 1}`), item]);
  return isMap(found) ? Object.entries(found as Settings) : [];
}

export function problemText(label: string, error: unknown): string {
  if (error instanceof PlacedError) return `${label}:${error.message}`;
  if (error instanceof YamlError) {
    const { line, column } = error.problems[0]?.place ?? { line: 1, column: 1 };
    return `${label}:${line}:${column}  ${error.message}`;
  }
  return `${label}  cannot be read: ${error instanceof Error ? error.message : String(error)}`;
}
