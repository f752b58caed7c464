/** What a schema cannot say about a capability file: whether its parts fit together, and whether all of them are there yet. */
import type { Audience } from "../core/audience.ts";
import { transformProblems } from "../core/transform/transform-problems.ts";
import { suggestion } from "../lib/did-you-mean.ts";
import { isJsonObject, type Json, type JsonObject } from "../lib/json.ts";
import type { Provider } from "./capability.ts";
import type { AuthSettings, CliSettings, Definition, HttpSettings, McpSettings } from "./definition-schema.ts";
import { type FileReport, type KeyPath, quote } from "./file-report.ts";
import { keySource, usesKey } from "./key-source.ts";
import type { ProviderContext } from "./read-provider.ts";
import { isKeychain, isSetting, placeholdersIn, solePlaceholder } from "./template.ts";

export function audienceIn({ metadata, visible_in_states: states }: Definition, report: FileReport): Audience {
  if (metadata.exposure !== "personal") return { states };
  const { authority = "", subject = "" } = metadata.identity_owner ?? {};
  const at = ["metadata", "identity_owner"];
  if (authority === "" || subject === "")
    report.problem(
      at,
      `${quote(at)} must say whose the capability is, by authority and subject, or nobody could use it`,
    );
  return { states, owner: { authority, subject } };
}

/** Milliseconds; a write is never answered from memory, whatever the file says. */
export function cacheTtlMs(
  { cache, metadata }: Definition,
  providers: readonly Provider[],
  report: FileReport,
): number {
  if (cache.ttl === 0 || ["", "none"].includes(cache.strategy)) return 0;
  if (!metadata.read_only)
    report.warning(["cache"], '"cache" is only for capabilities with metadata.read_only and is ignored');
  // What a backend answers one caller is not for another who may not ask it.
  else if (providers.some(({ action }) => action.service === "mcp"))
    report.warning(
      ["cache"],
      '"cache" is not for providers of service mcp and is ignored: the gateway\'s own cache is',
    );
  else return cache.ttl * 1_000;
  return 0;
}

/** `schema.input` or `schema.output`, whose type MCP wants to be "object". */
export function objectSchema(
  definition: Definition,
  part: "input" | "output",
  report: FileReport,
): JsonObject | undefined {
  const schema = definition.schema[part];
  if (schema === undefined) return undefined;
  const at = ["schema", part];
  if (schema["type"] !== undefined && schema["type"] !== "object")
    report.problem([...at, "type"], `${quote([...at, "type"])} must be object`);
  checkProperties(schema, at, report);
  return { type: "object", ...schema };
}

const jsonTypes = ["string", "number", "integer", "boolean", "array", "object", "null"];

function checkProperties(schema: JsonObject, at: KeyPath, report: FileReport): void {
  const { properties = {}, required = [] } = schema;
  if (!isJsonObject(properties)) {
    report.problem([...at, "properties"], `${quote([...at, "properties"])} must be a mapping`);
    return;
  }
  for (const [name, property] of Object.entries(properties)) {
    const path = [...at, "properties", name];
    if (!isJsonObject(property)) {
      report.problem(path, `${quote(path)} must be a mapping`);
      continue;
    }
    for (const type of [property["type"] ?? []].flat())
      if (typeof type !== "string" || !jsonTypes.includes(type))
        report.problem(
          [...path, "type"],
          `${quote([...path, "type"])} must be one of ${jsonTypes.join(", ")}${suggestion(String(type), jsonTypes)}`,
        );
  }
  const known = Object.keys(properties);
  if (!Array.isArray(required) || !required.every((name) => typeof name === "string")) {
    report.problem([...at, "required"], `${quote([...at, "required"])} must be a list of names`);
    return;
  }
  for (const [index, name] of (required as string[]).entries())
    if (known.length > 0 && !known.includes(name))
      report.problem(
        [...at, "required", index],
        `${quote([...at, "required"])} has "${name}", which ${quote([...at, "properties"])} does not declare${suggestion(name, known)}`,
      );
}

export function checkAddress(http: HttpSettings, auth: AuthSettings, atConfig: KeyPath, report: FileReport): void {
  const key = http.endpoint === undefined ? "base_url" : "endpoint";
  const address = http[key] ?? "";
  const at = [...atConfig, key];
  const name = solePlaceholder(address);
  if (name === undefined && !/^(https?:\/\/|\{env\.)/i.test(address))
    report.problem(at, `${quote(at)} must be an http or https URL`);
  if (name !== undefined && !isSetting(name) && usesKey(auth))
    report.problem(
      at,
      `${quote(at)} must not be an argument as a whole: whoever calls could have the key sent anywhere`,
    );
}

export function checkTransforms(definition: Definition, report: FileReport): void {
  for (const key of ["transform", "response_transform"] as const)
    for (const { path, text } of definition[key] === undefined ? [] : transformProblems(definition[key]))
      report.problem([key, ...path], `${quote([key, ...path])} ${text}`);
}

/** A key belongs into the environment, a file or a keychain. */
export function checkKey(auth: AuthSettings, at: KeyPath, report: FileReport): void {
  const path = [...at, "key"];
  for (const key of ["key", "client_id", "client_secret"] as const) {
    const value = auth[key];
    if (value === undefined || value === "" || auth.type === "none" || keySource(value) !== undefined) continue;
    const name = [...at, key];
    report.problem(
      name,
      `${quote(name)} must say where the key is, e.g. env:API_KEY; a key itself does not belong in the file`,
    );
  }
  if (auth.required && auth.type !== "none" && auth.key === "") report.problem(at, `${quote(path)} is missing`);
  if (auth.token_endpoint !== undefined && !/^https?:\/\//i.test(auth.token_endpoint)) {
    const name = [...at, "token_endpoint"];
    report.problem(name, `${quote(name)} must be an http or https URL`);
  }
}

/** A misspelt placeholder would be sent as it is. Bodies are left out: braces are a part of many query languages. */
export function checkPlaceholders(
  config: HttpSettings | CliSettings,
  declared: ReadonlySet<string> | undefined,
  atConfig: KeyPath,
  report: FileReport,
): void {
  if (declared === undefined) return;
  const templates: readonly (readonly [string, unknown])[] =
    "command" in config
      ? [["args", config.args]]
      : (["base_url", "path", "endpoint", "path_selector", "headers", "params", "static_params"] as const).map(
          (key) => [key, config[key]] as const,
        );
  for (const [key, template] of templates)
    for (const name of placeholdersIn(JSON.stringify(template ?? ""))) {
      if (isSetting(name) || declared.has(name) || (key === "headers" && name === "access_token")) continue;
      const at = [...atConfig, key];
      report.problem(
        at,
        `${quote(at)} has "{${name}}", which schema.input does not declare${suggestion(name, [...declared])}`,
      );
    }
  if ("command" in config) return;
  const mapped = Object.keys(config.param_map);
  const selector = config.path_selector?.parameter;
  for (const [key, names] of [
    ["param_map", mapped],
    ["path_selector", selector === undefined ? [] : [selector]],
  ] as const)
    for (const name of names)
      if (!declared.has(name)) {
        const at = [...atConfig, key];
        report.problem(
          at,
          `${quote(at)} has "${name}", which schema.input does not declare${suggestion(name, [...declared])}`,
        );
      }
}

/** A program is chosen by whoever writes the file, never by who calls. */
export function checkCommand({ command, env, cwd }: CliSettings, atConfig: KeyPath, report: FileReport): void {
  for (const [key, value] of [
    ["command", command],
    ["cwd", cwd ?? ""],
    ["env", JSON.stringify(env)],
  ] as const)
    for (const name of placeholdersIn(value))
      if (!isSetting(name)) {
        const at = [...atConfig, key];
        report.problem(at, `${quote(at)} must not have the argument "{${name}}": only {env.NAME} is allowed there`);
      }
  if (/\s/.test(command) && !/[\\/]/.test(command)) {
    const at = [...atConfig, "command"];
    report.problem(at, `${quote(at)} must be one program: its arguments belong into "args", no shell reads them`);
  }
}

/** Which tool is called is for the file to say, never for who calls; its arguments are checked by its server. */
export function checkTarget(
  { server, tool, arguments: template }: McpSettings,
  { declared, hasServer }: Pick<ProviderContext, "declared" | "hasServer">,
  atConfig: KeyPath,
  report: FileReport,
): void {
  for (const [key, value] of [
    ["server", server],
    ["tool", tool],
  ] as const)
    if (placeholdersIn(value).length > 0) {
      const at = [...atConfig, key];
      report.problem(at, `${quote(at)} must be a name: no placeholder is allowed there`);
    }
  const at = [...atConfig, "arguments"];
  const text = JSON.stringify(template ?? {});
  if (placeholdersIn(text).some(isKeychain))
    report.problem(at, `${quote(at)} must not have a key: "secrets" of the backend gives its tools what they need`);
  for (const [, name = ""] of text.matchAll(/"\{([\w$.-]+)\}"/g))
    if (declared !== undefined && !isSetting(name) && !declared.has(name))
      report.problem(
        at,
        `${quote(at)} has "{${name}}", which schema.input does not declare${suggestion(name, [...declared])}`,
      );
  if (hasServer?.(server) === false)
    report.warning([...atConfig, "server"], `There is no backend "${server}" now: calls fail until there is`);
}

export function checkPagination({ pagination, method }: HttpSettings, atConfig: KeyPath, report: FileReport): void {
  if (pagination === undefined) return;
  const at = [...atConfig, "pagination"];
  if (method !== "GET") report.problem(at, `${quote(at)} needs method GET, not ${method}`);
  if (pagination.style !== "link" && pagination.param === undefined)
    report.problem(at, `${quote([...at, "param"])} is missing: the query parameter that asks for the next part`);
  if (pagination.style === "cursor" && pagination.next === undefined)
    report.problem(at, `${quote([...at, "next"])} is missing: where in the answer the next cursor is`);
}

/** The body as a template: JSON written as one text is taken apart, so that a value cannot break out of its quotes. */
export function bodyTemplate(
  { body, body_content_type, method }: HttpSettings,
  atConfig: KeyPath,
  report: FileReport,
): Json | undefined {
  const at = [...atConfig, "body"];
  if (body !== undefined && (method === "GET" || method === "HEAD"))
    report.problem(at, `${quote(at)} needs another method than ${method}`);
  if (
    typeof body !== "string" ||
    !(body_content_type ?? "json").includes("json") ||
    solePlaceholder(body) !== undefined
  )
    return body;
  try {
    return JSON.parse(body) as Json;
  } catch {
    report.problem(at, `${quote(at)} must be a mapping, or a text with body_content_type: text/plain`);
    return body;
  }
}
