/** What an export would change: for each client the file, its text as it is and as it would be. Writes nothing. */
import { valueAt } from "../config/path.ts";
import { stableJson } from "../lib/json.ts";
import { readJsonc } from "../lib/jsonc-document.ts";
import { removeJsoncMember, setJsoncMember } from "../lib/jsonc-edit.ts";
import { readToml } from "../lib/toml-document.ts";
import { exists, isMissing, readExactText } from "../runtime/files.ts";
import type { Machine } from "../runtime/machine.ts";
import { dirname, displayPath } from "../runtime/paths.ts";
import type { AiClient, ClientFile } from "./clients.ts";
import { removeCodexEntry, setCodexEntry } from "./codex-entry.ts";
import { problemText } from "./read-client-file.ts";

export type ClientEntry = Readonly<Record<string, unknown>>;

export interface ExportRequest {
  /** Name of the entry. */
  readonly name: string;
  /** `undefined` takes the entry out. */
  entryFor(client: AiClient): ClientEntry | undefined;
}

export interface FileChange {
  readonly client: AiClient;
  readonly path: string;
  /** `undefined` when there is no such file yet. */
  readonly before: string | undefined;
  readonly after: string;
}

export type Planned =
  | { readonly is: "change"; readonly change: FileChange }
  | { readonly is: "unchanged" | "failed"; readonly client: AiClient; readonly path: string; readonly reason: string }
  | { readonly is: "skipped"; readonly client: AiClient; readonly reason: string };

const maxBytes = 64 * 1_048_576;

export async function planExport(client: AiClient, machine: Machine, request: ExportRequest): Promise<Planned> {
  const file = await exportFile(client, machine);
  if (file === undefined) return { is: "skipped", client, reason: `${client.title} is not here` };
  const { path } = file;
  try {
    const before = await readIfThere(path);
    const entry = request.entryFor(client);
    if (before === undefined && entry === undefined)
      return { is: "unchanged", client, path, reason: "there is no such file" };
    const after = edited(before ?? "", file, request.name, entry);
    if (after === before) return { is: "unchanged", client, path, reason: "is as it should be" };
    return { is: "change", change: { client, path, before, after } };
  } catch (error) {
    return { is: "failed", client, path, reason: problemText(displayPath(path, machine.cwd), error) };
  }
}

/** The file that an export of this client goes to; `undefined` when the client is not on this machine. */
export async function exportFile(client: AiClient, machine: Machine): Promise<ClientFile | undefined> {
  const files = client.exports?.(machine) ?? [];
  for (const file of files) if (await exists(file.path)) return file;
  for (const file of files) if (await exists(file.presence ?? dirname(file.path))) return file;
  return client.always ? files[0] : undefined;
}

/** The entry of that name in the client's file. @throws what reading it throws, PlacedError among it */
export async function entryIn({ path, format, keys }: ClientFile, name: string): Promise<unknown> {
  const text = (await readIfThere(path)) ?? "";
  const value = format === "toml" ? readToml(text).value : readJsonc(text)?.value;
  return valueAt(value, [...(keys[0] as readonly string[]), name]);
}

function edited(text: string, { format, keys }: ClientFile, name: string, entry: ClientEntry | undefined): string {
  const path = [...(keys[0] as readonly [string, ...string[]]), name] as const;
  const current = valueAt(format === "toml" ? readToml(text).value : readJsonc(text)?.value, path);
  // Rewriting what is right already would only change how it is written.
  if (current !== undefined && stableJson(current) === stableJson(entry)) return text;
  if (format === "toml") return entry === undefined ? removeCodexEntry(text, name) : setCodexEntry(text, name, entry);
  const jsonPath = path as unknown as readonly [string, ...string[]];
  return entry === undefined ? removeJsoncMember(text, jsonPath) : setJsoncMember(text, jsonPath, entry);
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readExactText(path, maxBytes);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}
