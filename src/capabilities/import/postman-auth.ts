/** `auth` of a collection, folder or request → `auth` of a capability. A secret is named, never copied. */
import { isJsonObject, type Json, type JsonObject } from "../../lib/json.ts";
import type { PostmanVariables } from "./postman-variables.ts";

export interface PostmanAuth {
  /** `undefined` where the collection says nothing. */
  readonly auth: JsonObject | undefined;
  readonly notes: readonly string[];
}

/** @param auths of the collection, the folders and the request: the innermost that says something counts */
export function postmanAuth(auths: readonly (Json | undefined)[], variables: PostmanVariables): PostmanAuth {
  const auth = auths.filter(isJsonObject).at(-1);
  if (auth === undefined) return { auth: undefined, notes: [] };
  const type = String(auth["type"]);
  const given = attributes(auth[type]);
  const key = (text: string | undefined, word: string) => variables.keyFor(text ?? "", word);
  switch (type) {
    case "noauth":
      return { auth: { required: false, type: "none" }, notes: [] };
    case "bearer":
      return { auth: { required: true, type: "bearer", key: key(given.get("token"), "TOKEN") }, notes: [] };
    case "oauth2":
      return { auth: { required: true, type: "bearer", key: key(given.get("accessToken"), "TOKEN") }, notes: [] };
    case "basic":
      return {
        auth: { required: true, type: "basic", key: key("", "BASIC"), description: "USER:PASSWORD" },
        notes: [],
      };
    case "apikey": {
      const name = variables.settle(given.get("key") ?? "X-API-Key");
      const place = given.get("in") === "query" ? { param: name } : { header: name };
      return { auth: { required: true, type: "api_key", key: key(given.get("value"), "KEY"), ...place }, notes: [] };
    }
    default:
      return {
        auth: { required: false, type: "none" },
        notes: [`its authentication "${type.slice(0, 40)}" is not carried over`],
      };
  }
}

/** v2.1 lists `{key, value}`, v2.0 has a mapping. */
function attributes(value: Json | undefined): Map<string, string> {
  const pairs = Array.isArray(value)
    ? (value as Json[]).filter(isJsonObject).map(({ key, value: inner }) => [String(key), inner] as const)
    : Object.entries(isJsonObject(value) ? value : {});
  return new Map(pairs.flatMap(([name, inner]) => (typeof inner === "string" ? [[name, inner] as const] : [])));
}
