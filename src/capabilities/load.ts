/**
 * One capability file → {@link Capability}. A file that is wrong is an error that says all there is to correct; a file
 * that needs what is not there yet is skipped with a warning, so that collections made for it can be used in part.
 */
import { type Audience, audienceMeta } from "../core/audience.ts";
import { ConfigError } from "../core/errors.ts";
import { isJsonObject, type JsonObject } from "../lib/json.ts";
import type { Place, YamlDocument } from "../lib/yaml-document.ts";
import type { Action, Capability, Provider, Requirements } from "./capability.ts";
import { audienceIn, cacheTtlMs, checkKey, checkTransforms, objectSchema } from "./checks.ts";
import {
  authSchema,
  cacheSchema,
  type Definition,
  definitionSchema,
  metadataSchema,
  projectionGroups,
  projectionSchema,
  schemasSchema,
} from "./definition-schema.ts";
import { FileReport } from "./file-report.ts";
import { keySource, usesKey } from "./key-source.ts";
import { originOf, type ProviderContext, readProvider } from "./read-provider.ts";
import { isEnv, placeholdersIn } from "./template.ts";
import { readWebhooks } from "./webhooks/read-webhooks.ts";
import type { Webhook } from "./webhooks/webhook.ts";

export interface CapabilityFile {
  /** Shown in messages; its last part without extension names a capability that does not name itself. */
  readonly path: string;
  /** The text, or what the build made of it. */
  readonly content: { readonly text: string } | { readonly parsed: unknown };
  /** Whether there is a backend of that name; left out where no gateway runs that would know. */
  readonly hasServer?: ((name: string) => boolean) | undefined;
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
export async function loadCapability({ path, content, hasServer }: CapabilityFile): Promise<LoadedFile> {
  if ("parsed" in content) return load(path, content.parsed, hasServer, new FileReport(path, () => "1:1"));
  const { value, placeOf } = await readDocument(path, content.text);
  return load(path, value, hasServer, new FileReport(path, (at) => placeText(placeOf(at))));
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

function load(path: string, value: unknown, hasServer: CapabilityFile["hasServer"], report: FileReport): LoadedFile {
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
  const audience = definition === undefined ? { states: [] } : audienceIn(definition, report);
  const webhooks = readWebhooks(definitions, { name, audience }, report);
  const hasTool = Object.keys(providers).length > 0 || Object.keys(definitions).length === 0;
  const found = hasTool ? readProviders(partial as Definition, { declared, hasServer, report }) : [];
  report.throwIfBroken();
  const [primary, ...fallbacks] = found;
  if (report.skipped.length > 0 || definition === undefined)
    return { name, capability: undefined, webhooks: [], warnings: [...report.warnings, ...report.skipped] };
  if (primary === undefined) return { name, capability: undefined, webhooks, warnings: report.warnings };
  const requirements = requirementsOf(primary, fallbacks);
  return {
    name,
    capability: {
      name,
      category: definition.metadata.category,
      tool: toolOf({ name, audience }, definition, input, output),
      input,
      declared,
      providers: [primary, ...fallbacks],
      isReadOnly: definition.metadata.read_only,
      cacheTtlMs: cacheTtlMs(definition, found, report),
      transform: definition.transform,
      responseTransform: definition.response_transform,
      projection: Object.values(definition.projection ?? {}).some(Boolean) ? definition.projection : undefined,
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
function readProviders({ providers, auth }: Definition, about: Omit<ProviderContext, "auth" | "origin">) {
  const { report } = about;
  const context = { ...about, auth, origin: undefined };
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
  const variables = placeholdersIn(targetOf(action))
    .filter(isEnv)
    .map((name) => name.slice("env.".length));
  if (auth.required && source?.from === "environment") variables.push(source.name);
  return {
    variables: [...new Set(variables)],
    login,
    program: action.service === "cli" && !action.cli.command.includes("{") ? action.cli.command : undefined,
  };
}

/** Without it nothing can be asked. */
function targetOf(action: Action): string {
  if (action.service === "cli") return action.cli.command;
  return action.service === "mcp" ? "" : (action.http.endpoint ?? `${action.http.base_url}${action.http.path}`);
}

function warnOfUnknownKeys(file: unknown, report: FileReport): void {
  report.unknownKeys(definitionSchema, file, []);
  if (!isJsonObject(file)) return;
  report.unknownKeys(schemasSchema, file["schema"], ["schema"]);
  report.unknownKeys(authSchema, file["auth"], ["auth"]);
  report.unknownKeys(cacheSchema, file["cache"], ["cache"]);
  report.unknownKeys(metadataSchema, file["metadata"], ["metadata"]);
  const { projection } = file;
  report.unknownKeys(projectionSchema, projection, ["projection"]);
  if (isJsonObject(projection))
    for (const [group, schema] of Object.entries(projectionGroups))
      report.unknownKeys(schema, projection[group], ["projection", group]);
}

function toolOf(
  { name, audience }: { readonly name: string; readonly audience: Audience },
  { description, metadata }: Definition,
  inputSchema: JsonObject,
  outputSchema: JsonObject | undefined,
): JsonObject {
  const _meta = {
    ...(metadata.tags.length > 0 && { "mcp-gateway/keywords": metadata.tags }),
    ...audienceMeta(audience),
  };
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
    ...(Object.keys(_meta).length > 0 && { _meta }),
  };
}
