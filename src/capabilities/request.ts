/**
 * Arguments → HTTP request. GET and its like send `params`, mapped arguments and `static_params` in the query. Methods
 * with a body send the `body` template, or else every argument not used in the address or a header, as JSON; for GraphQL
 * these are the variables, for JSON-RPC the parameters.
 */
import { isJsonObject, type Json, type JsonObject } from "../lib/json.ts";
import type { Credential } from "./auth.ts";
import type { HttpAction } from "./capability.ts";
import { type HttpSettings, methodsWithBody } from "./definition-schema.ts";
import { Refusal } from "./refusal.ts";
import { asText, placeholdersIn, renderText, renderValue, type Scope } from "./template.ts";
import { renderUrl, urlTemplate } from "./url.ts";

export interface HttpRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

const jsonType = "application/json";
const accepted = {
  "": `${jsonType}, */*;q=0.5`,
  json: `${jsonType}, */*;q=0.5`,
  xml: "application/xml, text/xml, */*;q=0.5",
  text: "*/*",
  binary: "*/*",
} as const;

/** @throws Refusal when an argument cannot be sent */
export function buildRequest(action: HttpAction, scope: Scope, credential: Credential | undefined): HttpRequest {
  const { http } = action;
  const { method } = http;
  const template = urlTemplate(http, scope.args);
  const query = Object.entries(http.params).flatMap(([name, value]) => queryPairs(name, renderValue(value, scope)));
  const headers = renderHeaders(http, scope);
  let content: Json | undefined;
  if (http.body === undefined && methodsWithBody.includes(method)) {
    content = { ...mapped(http, scope), ...unused(http, template, scope.args) };
  } else {
    const covered = new Set(query.map(([name]) => name));
    for (const [name, value] of Object.entries(mapped(http, scope)))
      if (!covered.has(name)) query.push(...queryPairs(name, value));
    if (http.body !== undefined) content = renderValue(http.body, scope) ?? emptied(http.body);
  }
  content = inEnvelope(action, content, scope);
  if (credential?.in === "query") query.push([credential.name, credential.value]);
  if (credential?.in === "header") headers[credential.name.toLowerCase()] = credential.value;
  const body = content === undefined ? undefined : encodeBody(content, http, headers);
  return { method, url: renderUrl(template, query, scope), headers, body };
}

/** An API that takes a JSON body wants one, also when nothing is in it. */
function emptied(body: Json): Json | undefined {
  return isJsonObject(body) ? {} : undefined;
}

function inEnvelope(action: HttpAction, content: Json | undefined, scope: Scope): Json | undefined {
  const { service, http, query, rpcMethod, rpcParams } = action;
  if (query !== undefined)
    return http.body !== undefined && isJsonObject(content)
      ? { query, ...content }
      : { query, variables: content ?? {} };
  if (service !== "jsonrpc") return content;
  const params = rpcParams === undefined ? content : renderValue(rpcParams, scope);
  return { jsonrpc: "2.0", id: crypto.randomUUID(), method: rpcMethod, params };
}

/** `static_params`, and over them the arguments under the names the API has for them. */
function mapped(http: HttpSettings, scope: Scope): JsonObject {
  const values: Record<string, Json> = {};
  for (const [name, value] of Object.entries(http.static_params)) {
    const rendered = renderValue(value, scope);
    if (rendered !== undefined) values[name] = rendered;
  }
  for (const [argument, name] of Object.entries(http.param_map)) {
    const value = Object.hasOwn(scope.args, argument) ? scope.args[argument] : undefined;
    if (value !== undefined) values[name] = value;
  }
  return values;
}

/** Arguments that went neither into the address nor into a header, nor under another name. */
function unused(http: HttpSettings, url: string, args: JsonObject): JsonObject {
  const used = new Set(placeholdersIn(JSON.stringify([url, http.params, http.headers])));
  if (http.path_selector !== undefined) used.add(http.path_selector.parameter);
  for (const argument of Object.keys(http.param_map)) used.add(argument);
  return Object.fromEntries(Object.entries(args).filter(([name]) => !used.has(name)));
}

/** A list repeats its name; what has no value is left out. */
function queryPairs(name: string, value: Json | undefined): [string, string][] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) return value.flatMap((item: Json) => queryPairs(name, item));
  return [[name, asText(value)]];
}

function renderHeaders(http: HttpSettings, scope: Scope): Record<string, string> {
  const headers: Record<string, string> = {
    accept: accepted[http.response_format],
    "user-agent": "mcp-gateway",
  };
  for (const [name, template] of Object.entries(http.headers)) {
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

function encodeBody(content: Json, http: HttpSettings, headers: Record<string, string>): string {
  headers["content-type"] ??= http.body_content_type ?? jsonType;
  const type = headers["content-type"].toLowerCase();
  if (type.startsWith("application/x-www-form-urlencoded") && isJsonObject(content))
    return new URLSearchParams(Object.entries(content).flatMap(([name, value]) => queryPairs(name, value))).toString();
  return typeof content === "string" && !type.includes("json") ? content : JSON.stringify(content);
}
