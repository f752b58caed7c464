/** The security an operation asks for → `auth` of a capability. */
import { isJsonObject, type Json, type JsonObject } from "../../lib/json.ts";
import type { RefResolver } from "./resolve-refs.ts";

/** The kinds of schemes, the one that is easiest to live with first. */
const order = ["bearer", "apiKey", "oauth2", "basic"];

/** @param authKey where the key is, instead of a variable named after the scheme */
export function operationAuth(
  document: JsonObject,
  operation: JsonObject,
  refs: RefResolver,
  authKey: string | undefined,
): JsonObject {
  const security = operation["security"] ?? document["security"];
  const alternatives = Array.isArray(security) ? (security as Json[]).filter(isJsonObject) : [];
  const names = alternatives.flatMap((alternative) => Object.keys(alternative));
  const isOptional = alternatives.some((alternative) => Object.keys(alternative).length === 0);
  const found = names
    .map((name) => ({ name, scheme: schemeNamed(document, name, refs) }))
    .filter(({ scheme }) => scheme !== undefined && order.includes(kindOf(scheme)))
    .sort((a, b) => order.indexOf(kindOf(a.scheme as JsonObject)) - order.indexOf(kindOf(b.scheme as JsonObject)))[0];
  if (found?.scheme === undefined) return { required: false, type: "none" };
  const key =
    authKey ??
    `env:${found.name
      .toUpperCase()
      .replace(/[^A-Z0-9]+/g, "_")
      .replace(/^(\d)/, "_$1")}_TOKEN`;
  const login = authKey === undefined ? loginOf(document, found.scheme, refs) : undefined;
  return { required: !isOptional, ...(login ?? placed(found.scheme, key)) };
}

/** A login that renews its own tokens, where the document says who gives them. */
function loginOf(document: JsonObject, scheme: JsonObject, refs: RefResolver): JsonObject | undefined {
  if (scheme["type"] !== "oauth2") return undefined;
  const flows = isJsonObject(scheme["flows"]) ? Object.values(scheme["flows"]) : [scheme];
  const flow = flows.map((each) => refs.follow(each)).find((each) => typeof each?.["tokenUrl"] === "string");
  const tokenUrl = String(flow?.["tokenUrl"] ?? "");
  if (!/^https?:\/\//.test(tokenUrl)) return undefined;
  const title = isJsonObject(document["info"]) ? String(document["info"]["title"] ?? "") : "";
  const provider =
    title
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, "_")
      .replace(/^_+|_+$/g, "") || "api";
  const scopes = isJsonObject(flow?.["scopes"]) ? Object.keys(flow["scopes"]) : [];
  return { type: "oauth", key: `oauth:${provider}`, token_endpoint: tokenUrl, ...(scopes.length > 0 && { scopes }) };
}

function placed(scheme: JsonObject, key: string): JsonObject {
  switch (kindOf(scheme)) {
    case "apiKey":
      return scheme["in"] === "query"
        ? { type: "api_key", key, param: String(scheme["name"]) }
        : { type: "api_key", key, header: String(scheme["name"]) };
    case "basic":
      return { type: "basic", key };
    default:
      return { type: "bearer", key };
  }
}

function schemeNamed(document: JsonObject, name: string, refs: RefResolver): JsonObject | undefined {
  const { components, securityDefinitions } = document;
  const schemes = isJsonObject(components) ? components["securitySchemes"] : securityDefinitions;
  return isJsonObject(schemes) ? refs.follow(schemes[name]) : undefined;
}

function kindOf({ type, scheme, in: place }: JsonObject): string {
  if (type === "http") return String(scheme).toLowerCase();
  if (type === "openIdConnect") return "oauth2";
  return type === "apiKey" && place === "cookie" ? "cookie" : String(type);
}
