/** The state directory: ours to write in, without lists of backends that are gone or files that are broken. */
import type { Config } from "../../config/schema.ts";
import { isJsonObject } from "../../lib/json.ts";
import { listDirectory, readText, removeFile } from "../../runtime/files.ts";
import { displayPath, join } from "../../runtime/paths.ts";
import { folderState, openFolder } from "../../runtime/permissions.ts";
import type { Check } from "./check.ts";

const maxFiles = 1_000;
const maxFileBytes = 64 * 1_048_576;

export async function checkState(directory: string, config: Config | undefined, cwd: string): Promise<Check[]> {
  const base = { id: "data", label: "State directory", category: "data" } as const;
  const label = displayPath(directory, cwd);
  const state = await folderState(directory);
  if (state === "absent") return [{ ...base, status: "pass", detail: `${label} is made at the first start` }];
  if (state === "not a folder") {
    const hint = "Move it away, or choose another directory with --data-dir";
    return [{ ...base, status: "fail", detail: `${label} is not a directory`, hint }];
  }
  if (state === "read-only")
    return [
      {
        ...base,
        status: "fail",
        detail: `${label} cannot be written to: sessions and tool lists would be lost with the process`,
        hint: `chmod u+rwx ${label}`,
        fix: { done: `Made ${label} writable`, apply: () => openFolder(directory) },
      },
    ];
  const writable: Check = { ...base, status: "pass", detail: `${label} is writable` };
  return config === undefined ? [writable] : [writable, await checkCatalog(join(directory, "catalog"), config)];
}

async function checkCatalog(folder: string, { backends, capabilities }: Config): Promise<Check> {
  const base = { id: "data.catalog", label: "Kept tool lists", category: "data" } as const;
  const entries = await listDirectory(folder).catch(() => []);
  const files = entries.filter(({ name, kind }) => kind === "file" && name.endsWith(".json")).slice(0, maxFiles);
  const names = [...Object.keys(backends), capabilities.name];
  const stale: string[] = [];
  for (const { name } of files) {
    const server = await serverOf(join(folder, name));
    if (server === undefined || !names.includes(server)) stale.push(join(folder, name));
  }
  if (stale.length === 0) return { ...base, status: "pass", detail: `${files.length} file(s)` };
  return {
    ...base,
    status: "warn",
    detail: `${stale.length} of ${files.length} file(s) are broken or of backends that are gone`,
    hint: "They can go: lists are asked for again when they are needed",
    fix: {
      done: `Removed ${stale.length} kept tool list(s)`,
      apply: async () => {
        for (const path of stale) await removeFile(path);
      },
    },
  };
}

async function serverOf(path: string): Promise<string | undefined> {
  try {
    const value: unknown = JSON.parse(await readText(path, maxFileBytes));
    const server = isJsonObject(value) ? value["server"] : undefined;
    return typeof server === "string" ? server : undefined;
  } catch {
    return undefined;
  }
}
