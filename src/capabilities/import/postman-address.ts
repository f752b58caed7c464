/** `url` of a saved request: where it goes is the operator's, what fills path and query is the caller's. */
import { isJsonObject, type Json, type JsonObject } from "../../lib/json.ts";
import type { PostmanArguments } from "./postman-arguments.ts";
import { hasReference, isSecretValue, type PostmanVariables, withoutSecrets } from "./postman-variables.ts";

export interface PostmanAddress {
  readonly base_url: string;
  readonly path: string;
  readonly params: JsonObject;
}

/** @throws Error when it leads nowhere a request can be sent */
export function postmanAddress(
  url: Json | undefined,
  variables: PostmanVariables,
  args: PostmanArguments,
  notes: string[],
): PostmanAddress {
  const parts = isJsonObject(url) ? url : {};
  const raw = typeof url === "string" ? url : typeof parts["raw"] === "string" ? parts["raw"] : written(parts);
  const [whole = ""] = raw.trim().split("#", 1);
  const mark = whole.indexOf("?");
  const address = mark < 0 ? whole : whole.slice(0, mark);
  const [, scheme = "", host = "", path = ""] = /^([A-Za-z][\w+.-]*:\/\/)?([^/]*)(.*)$/s.exec(address) ?? [];
  const pairs = Array.isArray(parts["query"]) ? listed(parts["query"]) : inText(mark < 0 ? "" : whole.slice(mark + 1));
  return {
    base_url: origin(variables.host(`${scheme}${host}`)),
    path: path
      .split("/")
      .map((segment) => segmentOf(segment, parts["variable"], args))
      .join("/"),
    params: parameters(pairs, args, notes),
  };
}

function origin(text: string): string {
  const address = /^([A-Za-z][\w+.-]*:\/\/|\{env\.)/.test(text) ? text : `https://${text}`;
  if (!/^(https?:\/\/[^/]|\{env\.)/i.test(address)) throw new Error("its address is not an http or https address");
  if (/^[^/]*\/\/[^/]*@/.test(address)) throw new Error("its address has a user name in it");
  if (/[?#\s\\]/.test(address)) throw new Error("a variable of its address has more in it than an address");
  return address.replace(/\/+$/, "");
}

/** `:id` is an argument, `{{id}}` too; other braces are text. */
function segmentOf(segment: string, variables: Json | undefined, args: PostmanArguments): string {
  if (!/^:[^/]/.test(segment) && isSecretValue(segment))
    return `{${args.add("id", "path", { type: "string", description: "Part of the address" }, true)}}`;
  if (!/^:[^/]/.test(segment))
    return segment
      .split(/(\{\{[^{}]*\}\})/)
      .map((part, at) => (at % 2 === 1 ? args.text(part, "path") : part.replaceAll("{", "%7B").replaceAll("}", "%7D")))
      .join("");
  const name = segment.slice(1);
  const known = (Array.isArray(variables) ? (variables as Json[]) : []).filter(isJsonObject);
  const found = known.find(({ key, id }) => (key ?? id) === name);
  const value = found?.["value"];
  if (typeof value === "string" && hasReference(value)) return args.text(value, "path");
  const text = isJsonObject(found?.["description"]) ? found["description"]["content"] : found?.["description"];
  const description =
    typeof text === "string" && text.trim() !== "" ? withoutSecrets(text) : `"${name}" of the address`;
  return `{${args.add(name, "path", { type: "string", description }, true)}}`;
}

function parameters(
  pairs: readonly (readonly [string, string])[],
  args: PostmanArguments,
  notes: string[],
): JsonObject {
  const params = new Map<string, Json>();
  for (const [name, value] of pairs)
    if (params.has(name)) notes.push(`its parameter "${name.slice(0, 100)}" is there twice, and is carried over once`);
    else params.set(name, args.parameter(name, value));
  return Object.fromEntries(params);
}

function listed(query: Json): [string, string][] {
  return (query as Json[])
    .filter(isJsonObject)
    .filter(({ key, disabled }) => typeof key === "string" && key !== "" && disabled !== true)
    .map(({ key, value }) => [key as string, typeof value === "string" ? value : String(value ?? "")]);
}

function inText(query: string): [string, string][] {
  return query.split("&").flatMap((pair) => {
    const [name = "", ...value] = pair.split("=");
    return name === "" ? [] : [[decoded(name), decoded(value.join("="))] as [string, string]];
  });
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return text;
  }
}

/** v2.0 may leave out the whole and give the parts. */
function written({ protocol, host, path, port }: JsonObject): string {
  const joined = (value: Json | undefined, by: string) =>
    Array.isArray(value)
      ? (value as Json[]).map((part) => (isJsonObject(part) ? String(part["value"] ?? "") : String(part))).join(by)
      : typeof value === "string"
        ? value
        : "";
  const scheme = typeof protocol === "string" && protocol !== "" ? `${protocol}://` : "";
  return `${scheme}${joined(host, ".")}${typeof port === "string" && port !== "" ? `:${port}` : ""}/${joined(path, "/").replace(/^\//, "")}`;
}
