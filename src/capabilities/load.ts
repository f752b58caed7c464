/**
 * One capability file → {@link Capability}. A file that is wrong is an error; a file that needs what is not there yet
 * (another service, an answer in XML) is skipped with a warning, so that collections made for it can be used in part.
 */
import { ConfigError } from "../core/errors.ts";
import { isJsonObject, type JsonObject } from "../lib/json.ts";
import type { Place, YamlDocument } from "../lib/yaml-document.ts";
import type { Capability } from "./capability.ts";
import {
  blocker,
  bodyTemplate,
  checkAddress,
  checkKey,
  checkPlaceholders,
  inactiveKeys,
  objectSchema,
} from "./checks.ts";
import {
  authSchema,
  type Definition,
  definitionSchema,
  metadataSchema,
  providerSchema,
  restSchema,
  schemasSchema,
} from "./definition-schema.ts";
import { FileReport, quote } from "./file-report.ts";
import { isEnv, placeholdersIn } from "./template.ts";

export interface CapabilityFile {
  /** Shown in messages; its last part without extension names a capability that does not name itself. */
  readonly path: string;
  /** The text, or what the build made of it. */
  readonly content: { readonly text: string } | { readonly parsed: unknown };
}

export interface LoadedFile {
  /** `undefined` when the file is skipped; a warning says why. */
  readonly capability: Capability | undefined;
  /** One line each, with place. */
  readonly warnings: readonly string[];
}

/** @throws ConfigError with one line `file:line:column  problem` for each problem */
export async function loadCapability({ path, content }: CapabilityFile): Promise<LoadedFile> {
  if ("parsed" in content) return load(path, content.parsed, new FileReport(path, () => "1:1"));
  const { value, placeOf } = await readDocument(path, content.text);
  return load(path, value, new FileReport(path, (at) => placeText(placeOf(at))));
}

/** @throws ConfigError as {@link loadCapability} */
export async function readDocument(path: string, text: string): Promise<YamlDocument> {
  const { readYaml, YamlError } = await import("../lib/yaml-document.ts");
  try {
    return await readYaml(text);
  } catch (error) {
    if (!(error instanceof YamlError)) throw error;
    const lines = error.problems.map(({ place, message }) => `${path}:${placeText(place)}  ${message}`);
    throw new ConfigError(lines.join("\n"), { cause: error });
  }
}

function placeText({ line, column }: Place): string {
  return `${line}:${column}`;
}

function load(path: string, value: unknown, report: FileReport): LoadedFile {
  if (!isJsonObject(value)) report.problem([], "The file must be a mapping");
  report.throwIfBroken();
  const definition = report.parse(definitionSchema, value, []);
  warnOfUnknownKeys(value, report);
  const { auth, providers, webhooks } = definition;
  if (providers["primary"] === undefined && webhooks !== undefined)
    return skipped(report, ["webhooks"], "a file with only webhooks");
  const provider = report.parse(providerSchema, providers["primary"], ["providers", "primary"]);
  const obstacle = blocker(definition, provider.service, provider.config);
  if (obstacle !== undefined) return skipped(report, ...obstacle);
  for (const key of inactiveKeys(definition)) report.warning(key, `${quote(key)} is not active yet and is ignored`);

  const rest = report.parse(restSchema, provider.config, ["providers", "primary", "config"]);
  const name = definition.name ?? path.replace(/^.*[\\/]/, "").replace(/\.ya?ml$/, "");
  if (!/^\w+$/.test(name))
    report.problem([], '"name" is missing, and the file name has more than letters, digits and _');
  const input = objectSchema(definition, "input", report) ?? { type: "object" };
  const output = objectSchema(definition, "output", report);
  const properties = isJsonObject(input["properties"]) ? Object.keys(input["properties"]) : [];
  const declared = properties.length > 0 ? new Set(properties) : undefined;
  const body = bodyTemplate(rest, report);
  checkAddress(rest, auth, report);
  checkKey(auth, report);
  checkPlaceholders(rest, declared, report);
  report.throwIfBroken();
  const variables = placeholdersIn(JSON.stringify(rest)).filter(isEnv);
  return {
    capability: {
      name,
      tool: toolOf(name, definition, input, output),
      input,
      declared,
      rest: { ...rest, body: body ?? undefined },
      auth,
      timeoutMs: provider.timeout * 1_000,
      variables: variables.map((variable) => variable.slice("env.".length)),
    },
    warnings: report.warnings,
  };
}

function skipped(report: FileReport, at: readonly PropertyKey[], what: string): LoadedFile {
  report.warning(at, `${what} is not active yet: the file is skipped`);
  return { capability: undefined, warnings: report.warnings };
}

function warnOfUnknownKeys(file: unknown, report: FileReport): void {
  report.unknownKeys(definitionSchema, file, []);
  if (!isJsonObject(file)) return;
  report.unknownKeys(schemasSchema, file["schema"], ["schema"]);
  report.unknownKeys(authSchema, file["auth"], ["auth"]);
  report.unknownKeys(metadataSchema, file["metadata"], ["metadata"]);
  const provider = isJsonObject(file["providers"]) ? file["providers"]["primary"] : undefined;
  if (!isJsonObject(provider)) return;
  report.unknownKeys(providerSchema, provider, ["providers", "primary"]);
  if ((provider["service"] ?? "rest") === "rest")
    report.unknownKeys(restSchema, provider["config"], ["providers", "primary", "config"]);
}

function toolOf(
  name: string,
  { description, metadata }: Definition,
  inputSchema: JsonObject,
  outputSchema: JsonObject | undefined,
): JsonObject {
  const words = name.replaceAll("_", " ").trim();
  return {
    name,
    title: words.charAt(0).toUpperCase() + words.slice(1),
    description,
    inputSchema,
    ...(outputSchema === undefined ? {} : { outputSchema }),
    annotations: {
      readOnlyHint: metadata.read_only,
      destructiveHint: metadata.destructive ?? !metadata.read_only,
      idempotentHint: metadata.idempotent ?? metadata.read_only,
      openWorldHint: metadata.open_world ?? true,
    },
  };
}
