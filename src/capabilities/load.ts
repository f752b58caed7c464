/**
 * One capability file → {@link Capability}. A file that is wrong is an error that says all there is to correct; a file
 * that needs what is not there yet is skipped with a warning, so that collections made for it can be used in part.
 */
import { ConfigError } from "../core/errors.ts";
import { isJsonObject, type JsonObject } from "../lib/json.ts";
import type { Place, YamlDocument } from "../lib/yaml-document.ts";
import type { Capability, Provider, Requirements } from "./capability.ts";
import { cacheTtlMs, checkKey, checkTransforms, inactiveKeys, objectSchema } from "./checks.ts";
import {
  authSchema,
  cacheSchema,
  type Definition,
  definitionSchema,
  metadataSchema,
  schemasSchema,
} from "./definition-schema.ts";
import { FileReport, quote } from "./file-report.ts";
import { keySource, usesKey } from "./key-source.ts";
import { originOf, readProvider } from "./read-provider.ts";
import { isEnv, placeholdersIn } from "./template.ts";
import { readWebhooks } from "./webhooks/read-webhooks.ts";
import type { Webhook } from "./webhooks/webhook.ts";

export interface CapabilityFile {
  /** Shown in messages; its last part without extension names a capability that does not name itself. */
  readonly path: string;
  /** The text, or what the build made of it. */
  readonly content: { readonly text: string } | { readonly parsed: unknown };
}

export interface LoadedFile {
  /** Of its capability, which also its webhooks belong to. */
  readonly name: string;
  /** `undefined` when the file is skipped, and a warning says why; or when it has only webhooks. */
  readonly capability: Capability | undefined;
  readonly webhooks: readonly Webhook[];
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
  // Also where a part is wrong: the others are checked all the same, so that one run says everything.
  const partial = definition ?? partOf(value as JsonObject);
  if (partial === undefined) report.throwIfBroken();
  const { auth, providers, webhooks: definitions } = partial as Definition;
  const name = definition?.name ?? path.replace(/^.*[\\/]/, "").replace(/\.ya?ml$/, "");
  if (definition !== undefined && !/^\w+$/.test(name))
    report.problem([], '"name" is missing, and the file name has more than letters, digits and _');
  const input = objectSchema(partial as Definition, "input", report) ?? { type: "object" };
  const output = objectSchema(partial as Definition, "output", report);
  const properties = isJsonObject(input["properties"]) ? Object.keys(input["properties"]) : [];
  const declared = properties.length > 0 ? new Set(properties) : undefined;
  checkKey(auth, ["auth"], report);
  if (definition !== undefined) checkTransforms(definition, report);
  const webhooks = readWebhooks(definitions, name, report);
  const hasTool = Object.keys(providers).length > 0 || Object.keys(definitions).length === 0;
  const found = hasTool ? readProviders(partial as Definition, declared, report) : [];
  report.throwIfBroken();
  const [primary, ...fallbacks] = found;
  if (report.skipped.length > 0 || definition === undefined)
    return { name, capability: undefined, webhooks: [], warnings: [...report.warnings, ...report.skipped] };
  for (const key of inactiveKeys(definition)) report.warning(key, `${quote(key)} is not active yet and is ignored`);
  if (primary === undefined) return { name, capability: undefined, webhooks, warnings: report.warnings };
  const requirements = requirementsOf(primary, fallbacks);
  return {
    name,
    capability: {
      name,
      category: definition.metadata.category,
      tool: toolOf(name, definition, input, output),
      input,
      declared,
      providers: [primary, ...fallbacks],
      isReadOnly: definition.metadata.read_only,
      cacheTtlMs: cacheTtlMs(definition, report),
      transforms: [definition.transform, definition.response_transform].filter((each) => each !== undefined),
      requirements,
    },
    webhooks,
    warnings: report.warnings,
  };
}

/** What can be checked of a file whose outline is wrong; `undefined` when that is nothing. */
function partOf(file: JsonObject): Pick<Definition, "auth" | "providers" | "schema" | "webhooks"> | undefined {
  const { providers, schema, webhooks } = file;
  const auth = new FileReport("", () => "").parse(authSchema, file["auth"] ?? {}, []);
  const schemas = new FileReport("", () => "").parse(schemasSchema, schema ?? {}, []);
  if (auth === undefined || schemas === undefined || !isJsonObject(providers)) return undefined;
  return { auth, providers, schema: schemas, webhooks: isJsonObject(webhooks) ? webhooks : {} };
}

/** The primary one first. */
function readProviders({ providers, auth }: Definition, declared: ReadonlySet<string> | undefined, report: FileReport) {
  const context = { auth, declared, report, origin: undefined };
  const primary = readProvider(providers["primary"], ["providers", "primary"], context);
  const found: Provider[] = primary === undefined ? [] : [primary];
  const origin = primary === undefined ? undefined : (originOf(primary) ?? "");
  const { fallback } = providers;
  const fallbacks = Array.isArray(fallback) ? fallback : fallback == null ? [] : [fallback];
  for (const [index, each] of fallbacks.entries()) {
    const at = Array.isArray(fallback) ? ["providers", "fallback", index] : ["providers", "fallback"];
    const provider = readProvider(each, at, { ...context, origin });
    if (provider !== undefined) found.push(provider);
  }
  for (const name of Object.keys(providers))
    if (name !== "primary" && name !== "fallback")
      report.warning(["providers", name], `"providers.${name}" is not used: there are "primary" and "fallback"`);
  return found;
}

/** What the primary provider cannot do without; nothing when another one can stand in. */
function requirementsOf({ action, auth }: Provider, fallbacks: readonly Provider[]): Requirements {
  const none = { variables: [], login: undefined, program: undefined };
  if (fallbacks.length > 0) return none;
  const source = usesKey(auth) ? keySource(auth.key) : undefined;
  const login = source?.from === "oauth" ? source.provider : undefined;
  const needed =
    action.service === "cli"
      ? [action.cli.command]
      : [action.http.endpoint ?? `${action.http.base_url}${action.http.path}`];
  const variables = needed
    .flatMap(placeholdersIn)
    .filter(isEnv)
    .map((name) => name.slice("env.".length));
  if (auth.required && source?.from === "environment") variables.push(source.name);
  return {
    variables: [...new Set(variables)],
    login,
    program: action.service === "cli" && !action.cli.command.includes("{") ? action.cli.command : undefined,
  };
}

function warnOfUnknownKeys(file: unknown, report: FileReport): void {
  report.unknownKeys(definitionSchema, file, []);
  if (!isJsonObject(file)) return;
  report.unknownKeys(schemasSchema, file["schema"], ["schema"]);
  report.unknownKeys(authSchema, file["auth"], ["auth"]);
  report.unknownKeys(cacheSchema, file["cache"], ["cache"]);
  report.unknownKeys(metadataSchema, file["metadata"], ["metadata"]);
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
    ...(metadata.tags.length > 0 && { _meta: { "mcp-gateway/keywords": metadata.tags } }),
  };
}
