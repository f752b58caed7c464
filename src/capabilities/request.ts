/**
 * Arguments → HTTP request. GET and its like send `params`, mapped arguments and `static_params` in the query. Methods
 * with a body send the `body` template, or else every argument not used in the address or a header, as JSON.
 */
import { isJsonObject, type Json, type JsonObject } from "../lib/json.ts";
import type { Credential } from "./auth.ts";
import { methodsWithBody, type RestSettings } from "./definition-schema.ts";
import { Refusal } from "./refusal.ts";
import { placeholdersIn, renderText, renderValue, type Scope } from "./template.ts";
import { renderUrl, urlTemplate } from "./url.ts";

export interface HttpRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

const jsonType = "application/json";

/** @throws Refusal when an argument cannot be sent */
export function buildRequest(rest: RestSettings, scope: Scope, credential: Credential | undefined): HttpRequest {
  const { method } = rest;
  const template = urlTemplate(rest, scope.args);
  const query = Object.entries(rest.params).flatMap(([name, value]) => queryPairs(name, renderValue(value, scope)));
  const headers = renderHeaders(rest, scope);
  let content: Json | undefined;
  if (rest.body === undefined && methodsWithBody.includes(method)) {
    content = { ...mapped(rest, scope), ...unused(rest, template, scope.args) };
  } else {
    const covered = new Set(query.map(([name]) => name));
    for (const [name, value] of Object.entries(mapped(rest, scope)))
      if (!covered.has(name)) query.push(...queryPairs(name, value));
    if (rest.body !== undefined) content = renderValue(rest.body, scope);
  }
  if (credential?.in === "query") query.push([credential.name, credential.value]);
  if (credential?.in === "header") headers[credential.name.toLowerCase()] = credential.value;
  const body = content === undefined ? undefined : encodeBody(content, rest, headers);
  return { method, url: renderUrl(template, query, scope), headers, body };
}

/** `static_params`, and over them the arguments under the names the API has for them. */
function mapped(rest: RestSettings, scope: Scope): JsonObject {
  const values: Record<string, Json> = {};
  for (const [name, value] of Object.entries(rest.static_params)) {
    const rendered = renderValue(value, scope);
    if (rendered !== undefined) values[name] = rendered;
  }
  for (const [argument, name] of Object.entries(rest.param_map)) {
    const value = Object.hasOwn(scope.args, argument) ? scope.args[argument] : undefined;
    if (value !== undefined) values[name] = value;
  }
  return values;
}

/** Arguments that went neither into the address nor into a header, nor under another name. */
function unused(rest: RestSettings, url: string, args: JsonObject): JsonObject {
  const used = new Set(placeholdersIn(JSON.stringify([url, rest.params, rest.headers])));
  if (rest.path_selector !== undefined) used.add(rest.path_selector.parameter);
  for (const argument of Object.keys(rest.param_map)) used.add(argument);
  return Object.fromEntries(Object.entries(args).filter(([name]) => !used.has(name)));
}

/** A list repeats its name; what has no value is left out. */
function queryPairs(name: string, value: Json | undefined): [string, string][] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) return value.flatMap((item: Json) => queryPairs(name, item));
  return [[name, typeof value === "object" ? JSON.stringify(value) : String(value)]];
}

function renderHeaders(rest: RestSettings, scope: Scope): Record<string, string> {
  const headers: Record<string, string> = {
    accept: rest.response_format === "text" ? "*/*" : `${jsonType}, */*;q=0.5`,
    "user-agent": "mcp-gateway",
  };
  for (const [name, template] of Object.entries(rest.headers)) {
    // Older files write the key into a header by this placeholder; the credential takes that place.
    if (template.includes("{access_token}")) continue;
    const value = renderText(template, scope, headerPart);
    if (value !== undefined) headers[name.toLowerCase()] = value;
  }
  return headers;
}

function headerPart(value: string, name: string): string {
  if (/^[\x20-\x7e]*$/.test(value)) return value;
  throw new Refusal(`"${name}" may only have printable ASCII characters: it is sent in a header`);
}

function encodeBody(content: Json, rest: RestSettings, headers: Record<string, string>): string {
  headers["content-type"] ??= rest.body_content_type ?? jsonType;
  const type = headers["content-type"].toLowerCase();
  if (type.startsWith("application/x-www-form-urlencoded") && isJsonObject(content))
    return new URLSearchParams(Object.entries(content).flatMap(([name, value]) => queryPairs(name, value))).toString();
  return typeof content === "string" && !type.includes("json") ? content : JSON.stringify(content);
}
