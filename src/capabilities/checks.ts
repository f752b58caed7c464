/** What a schema cannot say about a capability file: whether its parts fit together, and whether all of them are there yet. */
import { isJsonObject, type Json, type JsonObject } from "../lib/json.ts";
import { keySource, usesKey } from "./auth.ts";
import type { AuthSettings, Definition, RestSettings } from "./definition-schema.ts";
import { type FileReport, type KeyPath, quote } from "./file-report.ts";
import { isEnv, placeholdersIn, solePlaceholder } from "./template.ts";

const atConfig = ["providers", "primary", "config"] as const;

/** The first thing that keeps the file from being used at all, with its place. */
export function blocker(definition: Definition, service: string, config: JsonObject): [KeyPath, string] | undefined {
  const { auth } = definition;
  const source = usesKey(auth) ? keySource(auth.key)?.from : undefined;
  const format = config["response_format"];
  if (service !== "rest") return [["providers", "primary", "service"], `service "${service}"`];
  if (format === "xml" || format === "binary") return [[...atConfig, "response_format"], `response_format "${format}"`];
  if (source === "keychain" || source === "oauth") return [["auth", "key"], `a key from ${source}`];
  if (placeholdersIn(JSON.stringify(config)).some((name) => name.startsWith("keychain.")))
    return [atConfig, "a key from keychain"];
  return undefined;
}

/** Keys of later features that would change what the capability does. */
export function inactiveKeys(definition: Definition): KeyPath[] {
  const { cache, providers, metadata } = definition;
  const isCached =
    isJsonObject(cache) && Number(cache["ttl"]) > 0 && !["", "none"].includes(String(cache["strategy"] ?? ""));
  const optional = [
    "transform",
    "response_transform",
    "projection",
    "webhooks",
    "sha256",
    "visible_in_states",
  ] as const;
  const paths: KeyPath[] = optional.filter((key) => isFilled(definition[key])).map((key) => [key]);
  if (isCached) paths.push(["cache"]);
  if (isFilled(providers["fallback"])) paths.push(["providers", "fallback"]);
  if (metadata.exposure === "personal") paths.push(["metadata", "exposure"]);
  return paths;
}

function isFilled(value: unknown): boolean {
  if (typeof value !== "object") return value !== undefined && value !== "";
  return value !== null && Object.keys(value).length > 0;
}

/** `schema.input` or `schema.output`, whose type MCP wants to be "object". */
export function objectSchema(
  definition: Definition,
  part: "input" | "output",
  report: FileReport,
): JsonObject | undefined {
  const schema = definition.schema[part];
  if (schema === undefined) return undefined;
  const at = ["schema", part, "type"];
  if (schema["type"] !== undefined && schema["type"] !== "object") report.problem(at, `${quote(at)} must be object`);
  return { type: "object", ...schema };
}

export function checkAddress(rest: RestSettings, auth: AuthSettings, report: FileReport): void {
  const key = rest.endpoint === undefined ? "base_url" : "endpoint";
  const address = rest[key] ?? "";
  const at = [...atConfig, key];
  const name = solePlaceholder(address);
  if (name === undefined && !/^(https?:\/\/|\{env\.)/i.test(address))
    report.problem(at, `${quote(at)} must be an http or https URL`);
  if (name !== undefined && !isEnv(name) && usesKey(auth))
    report.problem(
      at,
      `${quote(at)} must not be an argument as a whole: whoever calls could have the key sent anywhere`,
    );
}

/** A key belongs into the environment or a file. */
export function checkKey(auth: AuthSettings, report: FileReport): void {
  const at = ["auth", "key"];
  if (usesKey(auth) && keySource(auth.key) === undefined)
    report.problem(
      at,
      `${quote(at)} must say where the key is, e.g. env:API_KEY; a key itself does not belong in the file`,
    );
  if (auth.required && auth.type !== "none" && auth.key === "") report.problem(["auth"], `${quote(at)} is missing`);
}

/** A misspelt placeholder would be sent as it is. Bodies are left out: braces are a part of many query languages. */
export function checkPlaceholders(
  rest: RestSettings,
  declared: ReadonlySet<string> | undefined,
  report: FileReport,
): void {
  if (declared === undefined) return;
  for (const key of ["base_url", "path", "endpoint", "path_selector", "headers", "params", "static_params"] as const)
    for (const name of placeholdersIn(JSON.stringify(rest[key] ?? ""))) {
      if (isEnv(name) || declared.has(name) || (key === "headers" && name === "access_token")) continue;
      const at = [...atConfig, key];
      report.problem(at, `${quote(at)} has "{${name}}", which schema.input does not declare`);
    }
}

/** The body as a template: JSON written as one text is taken apart, so that a value cannot break out of its quotes. */
export function bodyTemplate({ body, body_content_type, method }: RestSettings, report: FileReport): Json | undefined {
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
