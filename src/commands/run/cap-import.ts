import { fetchDocument, maxDocumentBytes } from "../../capabilities/import/fetch-document.ts";
import { type Imported, importOpenApi } from "../../capabilities/import/openapi.ts";
import { loadCapability, readDocument } from "../../capabilities/load.ts";
import { Refusal } from "../../capabilities/refusal.ts";
import { targetCheck } from "../../capabilities/ssrf.ts";
import { loadConfig } from "../../config/load.ts";
import { ConfigError } from "../../core/errors.ts";
import { isJsonObject, type JsonObject } from "../../lib/json.ts";
import { yamlText } from "../../lib/yaml-document.ts";
import { exists, isMissing, readText, writeAtomic } from "../../runtime/files.ts";
import { displayPath, expandHome, join, resolve } from "../../runtime/paths.ts";
import { environment, workingDirectory, writeStderr, writeStdout } from "../../runtime/process.ts";
import type { CommandInput } from "../command.ts";

interface File {
  readonly path: string;
  readonly text: string;
}

/** Everything is made, checked and found free before the first file is written. */
export async function run(input: CommandInput): Promise<number> {
  const spec = input.text("spec") as string;
  const isUrl = /^https?:\/\//i.test(spec);
  const text = isUrl ? await fetched(spec, input) : await read(spec);
  const documentUrl = isUrl ? new URL(spec) : undefined;
  const options = { prefix: input.text("prefix"), authKey: input.text("auth-key"), documentUrl };
  const { capabilities, warnings } = imported(await parsed(spec, text), options, spec);
  for (const warning of warnings) await writeStderr(`${warning}\n`);
  const folder = resolve(workingDirectory(), expandHome(input.text("output") as string, environment()));
  const files: File[] = [];
  for (const capability of capabilities) files.push(...(await fileOf(capability, folder)));
  if (files.length === 0) throw new ConfigError(`No operation of "${spec}" could be made into a capability`);
  if (!input.flag("force") && !input.flag("dry-run")) await refuseExisting(files);
  for (const file of files) {
    if (!input.flag("dry-run")) await writeAtomic(file.path, file.text);
    await writeStdout(
      `${input.flag("dry-run") ? "Would create" : "Created"} ${displayPath(file.path, workingDirectory())}\n`,
    );
  }
  return 0;
}

async function parsed(spec: string, text: string): Promise<JsonObject> {
  try {
    const value: unknown = JSON.parse(text);
    if (isJsonObject(value)) return value;
  } catch {
    // Not JSON: then it is YAML.
  }
  const { value } = await readDocument(spec, text);
  if (isJsonObject(value)) return value;
  throw new ConfigError(`"${spec}" is no OpenAPI document`);
}

function imported(document: JsonObject, options: Parameters<typeof importOpenApi>[1], spec: string) {
  try {
    return importOpenApi(document, options);
  } catch (error) {
    throw new ConfigError(`"${spec}" cannot be imported: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Nothing for one that our own checks refuse, which is said. */
async function fileOf({ name, definition }: Imported, folder: string): Promise<File[]> {
  const text = await yamlText(definition);
  try {
    await loadCapability({ path: `${name}.yaml`, content: { text } });
    return [{ path: join(folder, `${name}.yaml`), text }];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    await writeStderr(`"${name}" is left out:\n${error.message}\n`);
    return [];
  }
}

async function refuseExisting(files: readonly File[]): Promise<void> {
  const cwd = workingDirectory();
  for (const { path } of files)
    if (await exists(path))
      throw new ConfigError(
        `"${displayPath(path, cwd)}" already exists: use --force to replace it, or another --output`,
      );
}

async function fetched(url: string, { global }: CommandInput): Promise<string> {
  const { config: path, overrides } = global;
  const { config } = await loadConfig({ path, overrides, env: environment(), cwd: workingDirectory(), fallBack: true });
  try {
    return await fetchDocument(url, targetCheck(config.security?.ssrf_protection === false));
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    throw new ConfigError(error.detail === undefined ? error.message : `${error.message}\n${error.detail}`);
  }
}

async function read(spec: string): Promise<string> {
  try {
    return await readText(resolve(workingDirectory(), spec), maxDocumentBytes);
  } catch (error) {
    if (isMissing(error)) throw new ConfigError(`"${spec}" does not exist`);
    throw error;
  }
}
