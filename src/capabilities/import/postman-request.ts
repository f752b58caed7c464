/** One saved request of a Postman collection → what a capability sends. */
import { isJsonObject, type Json, type JsonObject } from "../../lib/json.ts";
import { type PostmanAddress, postmanAddress } from "./postman-address.ts";
import { PostmanArguments, readRawJson } from "./postman-arguments.ts";
import {
  hasReference,
  hasSecret,
  isSecretName,
  isSecretValue,
  type PostmanVariables,
  referenceOf,
} from "./postman-variables.ts";

export interface PostmanRequest {
  readonly method: string;
  readonly service: "rest" | "graphql";
  readonly config: JsonObject;
  /** JSON Schema of the arguments. */
  readonly input: JsonObject;
  readonly auth: JsonObject;
  readonly isReadOnly: boolean;
  /** What was not carried over. */
  readonly notes: readonly string[];
}

const methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
/** Worked out when the request is sent. */
const droppedHeaders = ["content-type", "content-length", "host", "connection", "user-agent", "postman-token"];
const rawTypes: Readonly<Record<string, string>> = {
  xml: "application/xml",
  html: "text/html",
  javascript: "application/javascript",
};
const formType = "application/x-www-form-urlencoded";

/**
 * @param auth of the collection, the folder or the request; a header in its place is taken where there is none
 * @throws Error with what cannot be sent
 */
export function postmanRequest(
  request: JsonObject,
  variables: PostmanVariables,
  auth: JsonObject | undefined,
): PostmanRequest {
  const method = String(request["method"] ?? "GET").toUpperCase();
  if (!methods.includes(method)) throw new Error(`its method "${method.slice(0, 40)}" cannot be sent`);
  const notes: string[] = [];
  const args = new PostmanArguments(variables);
  const address = postmanAddress(request["url"], variables, args, notes);
  const { headers, contentType, ownAuth } = readHeaders(request["header"], variables, args, notes);
  const body = isJsonObject(request["body"]) ? request["body"] : {};
  const around = { method, auth: auth ?? ownAuth ?? { required: false, type: "none" }, notes };
  const withHeaders = Object.keys(headers).length > 0 ? { headers } : {};
  if (body["mode"] === "graphql" && body["disabled"] !== true) {
    const config = { ...graphqlConfig(body["graphql"], address, args), ...withHeaders };
    const isReadOnly = /^(query\b|\{)/.test(config.body.query.replace(/^\s*#.*$/gm, "").trimStart());
    return { ...around, service: "graphql", config, input: args.schema(), isReadOnly };
  }
  const isRead = method === "GET" || method === "HEAD";
  // Postman keeps the body of a request whose method is changed, and does not send it.
  const sent = isRead ? {} : readBody(body, contentType, args, notes);
  const { base_url, path, params } = address;
  const withParams = Object.keys(params).length > 0 ? { params } : {};
  const config = { base_url, path, method, ...withParams, ...withHeaders, ...sent };
  return { ...around, service: "rest", config, input: args.schema(), isReadOnly: isRead };
}

function readHeaders(header: Json | undefined, variables: PostmanVariables, args: PostmanArguments, notes: string[]) {
  const headers: Record<string, string> = {};
  let contentType = "";
  let ownAuth: JsonObject | undefined;
  for (const [name, value] of headerPairs(header)) {
    const lower = name.toLowerCase();
    if (lower === "content-type") contentType = value.toLowerCase();
    if (droppedHeaders.includes(lower)) continue;
    const scheme = lower === "authorization" ? /^(Bearer|Basic)\s+(\S.*)$/i.exec(value) : null;
    if (scheme !== null) {
      const type = scheme[1]?.toLowerCase() as string;
      ownAuth = { required: true, type, key: variables.keyFor(scheme[2] as string, name) };
    } else if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name) || !/^[\x20-\x7e]*$/.test(value)) {
      notes.push(`its header "${name.slice(0, 100)}" is not valid and not carried over`);
    } else if (hasReference(value)) {
      headers[name] = args.text(value, "header");
    } else {
      headers[name] = isSecretName(name) || hasSecret(value) ? variables.hide(name) : value;
    }
  }
  return { headers, contentType, ownAuth };
}

/** A list of `{key, value}`, or the lines themselves. */
function headerPairs(header: Json | undefined): (readonly [string, string])[] {
  if (typeof header === "string")
    return header.split(/\r?\n/).flatMap((line) => {
      const colon = line.indexOf(":");
      return colon < 1 ? [] : [[line.slice(0, colon).trim(), line.slice(colon + 1).trim()] as const];
    });
  return enabledPairs(header);
}

function enabledPairs(list: Json | undefined): (readonly [string, string])[] {
  return (Array.isArray(list) ? (list as Json[]) : [])
    .filter(isJsonObject)
    .filter(({ key, disabled }) => typeof key === "string" && key !== "" && disabled !== true)
    .map(({ key, value }) => [key as string, typeof value === "string" ? value : String(value ?? "")] as const);
}

function readBody(body: JsonObject, contentType: string, args: PostmanArguments, notes: string[]): JsonObject {
  const { mode, raw, options } = body;
  if (mode === undefined || mode === "none" || body["disabled"] === true) return {};
  if (mode === "urlencoded") {
    const members = Object.fromEntries(enabledPairs(body["urlencoded"]));
    return { body: args.members(members, "body"), body_content_type: formType };
  }
  if (mode !== "raw") throw new Error(`its body is of kind "${String(mode).slice(0, 40)}", which cannot be sent`);
  const text = typeof raw === "string" ? raw : "";
  if (text.trim() === "") return {};
  const rawOptions = isJsonObject(options) ? options["raw"] : undefined;
  const language = isJsonObject(rawOptions) ? String(rawOptions["language"]) : "";
  const isJson = contentType.includes("json") || (contentType === "" && (language === "json" || /^\s*[[{]/.test(text)));
  if (isJson) {
    const value = readRawJson(text);
    return { body: isJsonObject(value) ? args.members(value, "body") : args.value("body", value, "body") };
  }
  const type = contentType || (Object.hasOwn(rawTypes, language) ? (rawTypes[language] as string) : "text/plain");
  // As one argument: a text with braces of its own is no template.
  const isMixed = hasReference(text) && referenceOf(text) === undefined;
  if (isMixed) notes.push("its body is text around variables: it is one argument now, without an example");
  return { body: args.value("body", isMixed ? "" : text, "body"), body_content_type: type };
}

function graphqlConfig(graphql: Json | undefined, { base_url, path, params }: PostmanAddress, args: PostmanArguments) {
  const { query, variables } = isJsonObject(graphql) ? graphql : {};
  if (typeof query !== "string" || query.trim() === "") throw new Error("its GraphQL query is missing");
  if (isSecretValue(query)) throw new Error("its GraphQL query has something in it that looks like a secret");
  if (hasReference(query)) throw new Error("its GraphQL query is put together of variables");
  if (Object.keys(params).length > 0)
    throw new Error("it sends a GraphQL query together with parameters of the address");
  const value = typeof variables === "string" && variables.trim() !== "" ? readRawJson(variables) : (variables ?? {});
  if (!isJsonObject(value) && value !== "") throw new Error("its GraphQL variables are not a JSON object");
  return { base_url, path, body: { query, variables: args.members(isJsonObject(value) ? value : {}, "body") } };
}
