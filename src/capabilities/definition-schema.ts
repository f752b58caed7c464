/**
 * One capability file, as its author writes it. Keys of later features are accepted in any form and reported by the
 * loader, so that a file written for them is never refused.
 */
import * as v from "valibot";
import type { Json, JsonObject } from "../lib/json.ts";

/** YAML has `key:` with nothing behind it; that counts as absent. */
function optional<const TSchema extends v.GenericSchema>(schema: TSchema, fallback: v.InferInput<TSchema>) {
  return v.nullish(schema, fallback as never);
}
function maybe<const TSchema extends v.GenericSchema>(schema: TSchema) {
  return v.pipe(
    v.nullish(schema),
    v.transform((value) => value ?? undefined),
  );
}
const later = v.optional(v.unknown());
const json = v.custom<Json>((value) => value !== undefined, "Expected a JSON value");
const jsonObject = v.custom<JsonObject>(
  (value) => typeof value === "object" && value !== null && !Array.isArray(value),
  "Expected a mapping",
);
/** Text that may hold `{param}` and `{env.VAR}`. */
const template = v.pipe(v.union([v.string(), v.number(), v.boolean()], "Expected text"), v.transform(String));

export const methodsWithBody: readonly string[] = ["POST", "PUT", "PATCH"];

/** `config` of a provider whose service is `rest`. */
export const restSchema = v.object({
  base_url: optional(v.string(), ""),
  path: optional(v.string(), ""),
  /** A whole URL; wins over `base_url` and `path`. */
  endpoint: maybe(v.string()),
  path_selector: maybe(
    v.object({ parameter: v.string(), default: maybe(v.string()), paths: v.record(v.string(), v.string()) }),
  ),
  method: optional(
    v.pipe(
      v.string(),
      v.toUpperCase(),
      v.picklist(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"], "Expected an HTTP method"),
    ),
    "GET",
  ),
  headers: optional(v.record(v.string(), template), {}),
  params: optional(v.record(v.string(), json), {}),
  /** Argument → name the API has for it. */
  param_map: optional(v.record(v.string(), v.string()), {}),
  static_params: optional(v.record(v.string(), json), {}),
  body: maybe(json),
  body_content_type: maybe(v.string()),
  /** Dotted path to the part of the answer that is wanted; numbers index lists. */
  response_path: optional(v.string(), ""),
  response_format: optional(v.picklist(["", "json", "text", "xml", "binary"]), ""),
});
export type RestSettings = v.InferOutput<typeof restSchema>;

export const authSchema = v.object({
  required: optional(v.boolean(), false),
  type: optional(v.picklist(["", "none", "bearer", "api_key", "basic", "oauth", "oauth2"]), ""),
  key: optional(v.string(), ""),
  header: optional(v.string(), "Authorization"),
  prefix: maybe(v.string()),
  /** Query parameter that carries the key instead of a header. */
  param: maybe(v.string()),
  description: optional(v.string(), ""),
  scopes: later,
  token_endpoint: later,
  shared_account: later,
});
export type AuthSettings = v.InferOutput<typeof authSchema>;

export const providerSchema = v.object({
  service: optional(v.string(), "rest"),
  cost_per_call: later,
  /** Seconds. */
  timeout: optional(v.pipe(v.number(), v.gtValue(0)), 30),
  config: optional(jsonObject, {}),
});

export const metadataSchema = v.object({
  category: optional(v.string(), ""),
  tags: optional(v.array(v.string()), []),
  read_only: optional(v.boolean(), false),
  destructive: maybe(v.boolean()),
  idempotent: maybe(v.boolean()),
  open_world: maybe(v.boolean()),
  exposure: optional(v.picklist(["shared", "personal"]), "shared"),
  cost_category: later,
  execution_time: later,
  identity_owner: later,
  produces: later,
  consumes: later,
  chains_with: later,
});

/** JSON Schemas of the arguments and of the answer. */
export const schemasSchema = v.object({ input: maybe(jsonObject), output: maybe(jsonObject) });

export const definitionSchema = v.object({
  fulcrum: later,
  name: maybe(v.pipe(v.string(), v.regex(/^[A-Za-z0-9_]+$/, "Expected only letters, digits and _"))),
  description: v.pipe(v.string(), v.nonEmpty("Expected a sentence that tells a model when to use it")),
  schema: optional(schemasSchema, {}),
  providers: optional(v.record(v.string(), v.unknown()), {}),
  auth: optional(authSchema, {}),
  metadata: optional(metadataSchema, {}),
  cache: later,
  transform: later,
  response_transform: later,
  projection: later,
  webhooks: later,
  sha256: later,
  visible_in_states: later,
});
export type Definition = v.InferOutput<typeof definitionSchema>;
