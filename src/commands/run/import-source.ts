/** What is imported by a command: a document from a file or an address, and the files that are made of it. */
import { type CapabilityTexts, capabilityTexts } from "../../capabilities/import/capability-texts.ts";
import { fetchPage, maxDocumentBytes } from "../../capabilities/import/fetch-document.ts";
import { type ImportKind, importDocument } from "../../capabilities/import/import-document.ts";
import type { ImportOptions } from "../../capabilities/import/imported.ts";
import { firstExisting, type PlacedText, writeTexts } from "../../capabilities/import/write-texts.ts";
import { Refusal } from "../../capabilities/refusal.ts";
import { type CheckTarget, targetCheck } from "../../capabilities/ssrf.ts";
import { loadConfig } from "../../config/load.ts";
import { ConfigError } from "../../core/errors.ts";
import { escapeHidden } from "../../lib/escape-hidden.ts";
import type { JsonObject } from "../../lib/json.ts";
import { isMissing, readExactText } from "../../runtime/files.ts";
import { displayPath, expandHome, join, resolve } from "../../runtime/paths.ts";
import { environment, workingDirectory, writeStderr, writeStdout } from "../../runtime/process.ts";
import type { CommandInput } from "../command.ts";

/** Of an error: one reason often holds for hundreds of operations. */
const maxReasons = 10;

/** The configuration in use. */
export async function configOf({ global }: CommandInput) {
  const { config: path, overrides } = global;
  return (await loadConfig({ path, overrides, env: environment(), cwd: workingDirectory(), fallBack: true })).config;
}

/** The guard of `security.ssrf_protection`. */
export async function guardOf(input: CommandInput): Promise<CheckTarget> {
  return targetCheck((await configOf(input)).security?.ssrf_protection === false);
}

/** What a guarded request refuses, as the error of a command. */
export async function guarded<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    throw new ConfigError(
      error.detail === undefined ? error.message : `${error.message}\n${escapeHidden(error.detail)}`,
    );
  }
}

export async function fetchText(url: string, input: CommandInput): Promise<string> {
  const checkTarget = await guardOf(input);
  return (await guarded(fetchPage(url, { checkTarget }))).text;
}

/** As it is, for its digest: a byte order mark included. */
export async function readSource(file: string): Promise<string> {
  try {
    return await readExactText(resolve(workingDirectory(), expandHome(file, environment())), maxDocumentBytes);
  } catch (error) {
    if (isMissing(error)) throw new ConfigError(`"${file}" does not exist`);
    throw error;
  }
}

/** @param source shown in messages. @throws ConfigError when nothing can be made of it */
export async function textsOf(
  document: JsonObject,
  options: ImportOptions,
  source: string,
  kind?: ImportKind,
): Promise<CapabilityTexts> {
  const { capabilities, warnings } = imported(document, options, source, kind);
  const made = await capabilityTexts(capabilities);
  const all = [...warnings, ...made.warnings].map(escapeHidden);
  if (made.files.length > 0) return { files: made.files, warnings: all };
  const more = all.length > maxReasons ? `\nand ${all.length - maxReasons} more` : "";
  const why = all.length === 0 ? "" : `:\n${all.slice(0, maxReasons).join("\n")}${more}`;
  throw new ConfigError(`No operation of "${source}" could be made into a capability${why}`);
}

function imported(document: JsonObject, options: ImportOptions, source: string, kind: ImportKind | undefined) {
  try {
    return importDocument(document, options, kind);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new ConfigError(`"${source}" cannot be imported: ${error.message}`);
  }
}

/** With `--output`, `--force` and `--dry-run`: says what is left out, and writes everything or nothing. */
export async function writeImported({ files, warnings }: CapabilityTexts, input: CommandInput): Promise<void> {
  for (const warning of warnings) await writeStderr(`${warning}\n`);
  const cwd = workingDirectory();
  const folder = resolve(cwd, expandHome(input.text("output") as string, environment()));
  const placed = files.map(({ name, text }) => ({ path: join(folder, `${name}.yaml`), text }));
  const isDry = input.flag("dry-run");
  if (!isDry) await writeUnlessThere(placed, input.flag("force"));
  for (const { path } of placed) await writeStdout(`${isDry ? "Would create" : "Created"} ${displayPath(path, cwd)}\n`);
}

/** @throws ConfigError naming the file that is there */
export async function writeUnlessThere(files: readonly PlacedText[], force: boolean): Promise<void> {
  const existing = force ? undefined : await firstExisting(files);
  if (existing !== undefined)
    throw new ConfigError(
      `"${displayPath(existing, workingDirectory())}" already exists: use --force to replace it, or another --output`,
    );
  await writeTexts(files);
}
