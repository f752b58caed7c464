/**
 * One capability file, as its author writes it. Keys of later features are accepted in any form and reported by the
 * loader, so that a file written for them is never refused.
 */
import * as v from "valibot";
import { resultTransformSchema } from "../core/transform/schema.ts";
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

/** How an API hands out long lists; `style: page` counts from `start`, `offset` counts items, `cursor` and `link` are told. */
const paginationSchema = v.object({
  style: v.picklist(["page", "offset", "cursor", "link"]),
  /** Query parameter that asks for the next part; not for `link`. */
  param: maybe(v.string()),
  /** Dotted path to the list in the answer; the answer itself by default. */
  items: optional(v.string(), ""),
  /** Dotted path to the next cursor or address in the answer; `link` reads the Link header without it. */
  next: maybe(v.string()),
  /** 1 for `page` and 0 for `offset` by default. */
  start: maybe(v.number()),
  max_pages: optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(100)), 5),
});
export type PaginationSettings = v.InferOutput<typeof paginationSchema>;

const responseFormats = ["", "json", "text", "xml", "binary"] as const;

const address = {
  base_url: optional(v.string(), ""),
  path: optional(v.string(), ""),
  /** A whole URL; wins over `base_url` and `path`. */
  endpoint: maybe(v.string()),
  headers: optional(v.record(v.string(), template), {}),
  static_params: optional(v.record(v.string(), json), {}),
};
const answer = {
  /** Dotted path to the part of the answer that is wanted; numbers index lists. */
  response_path: optional(v.string(), ""),
  /** Without one the content type of the answer decides. */
  response_format: optional(v.picklist(responseFormats), ""),
};

/** `config` of a provider whose service is `rest`. */
export const restSchema = v.object({
  ...address,
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
  params: optional(v.record(v.string(), json), {}),
  /** Argument → name the API has for it. */
  param_map: optional(v.record(v.string(), v.string()), {}),
  body: maybe(json),
  body_content_type: maybe(v.string()),
  pagination: maybe(paginationSchema),
  ...answer,
});
export type HttpSettings = v.InferOutput<typeof restSchema>;

/** `config` of a provider whose service is `graphql`. */
export const graphqlSchema = v.object({
  ...address,
  query: maybe(v.string()),
  /** The document, or a mapping with `query` and a template of `variables`. */
  body: maybe(
    v.union([v.string(), v.object({ query: v.string(), variables: maybe(jsonObject) })], "Expected a GraphQL document"),
  ),
  ...answer,
});

/** `config` of a provider whose service is `jsonrpc`. */
export const jsonrpcSchema = v.object({
  ...address,
  method: v.pipe(v.string(), v.nonEmpty("Expected the name of a JSON-RPC method")),
  params: maybe(json),
  ...answer,
});

/** `config` of a provider whose service is `cli`. */
export const cliSchema = v.object({
  command: v.pipe(v.string(), v.nonEmpty("Expected the name or path of a program")),
  /**
   * Each text is one argument, and so is a mapping, as JSON; a list inside is left out as a whole when one of its
   * placeholders has no value.
   */
  args: optional(v.array(v.union([template, v.array(template), jsonObject], "Expected text, a list or a mapping")), []),
  /** Environment of the program, besides PATH, HOME, TMPDIR and LANG. */
  env: optional(v.record(v.string(), template), {}),
  cwd: maybe(v.string()),
  /** What the program reads from its standard input. */
  stdin: maybe(template),
  ...answer,
});
export type CliSettings = v.InferOutput<typeof cliSchema>;

/** `config` of a provider whose service is `mcp`. */
export const mcpSchema = v.object({
  server: v.pipe(v.string(), v.nonEmpty("Expected the name of a backend")),
  tool: v.pipe(v.string(), v.nonEmpty("Expected the name of a tool")),
  /** Template of its arguments; the caller's own by default. */
  arguments: maybe(jsonObject),
  response_path: optional(v.string(), ""),
});
export type McpSettings = v.InferOutput<typeof mcpSchema>;

export const serviceSchemas = {
  rest: restSchema,
  graphql: graphqlSchema,
  jsonrpc: jsonrpcSchema,
  cli: cliSchema,
  mcp: mcpSchema,
};

export const authSchema = v.object({
  required: optional(v.boolean(), false),
  type: optional(v.picklist(["", "none", "bearer", "api_key", "basic", "oauth", "oauth2"]), ""),
  key: optional(v.string(), ""),
  header: optional(v.string(), "Authorization"),
  prefix: maybe(v.string()),
  /** Query parameter that carries the key instead of a header. */
  param: maybe(v.string()),
  description: optional(v.string(), ""),
  scopes: optional(v.array(v.string()), []),
  /** Where `key: oauth:NAME` gets and renews its tokens. */
  token_endpoint: maybe(v.string()),
  /** Where they are kept, as in `key`; by default in the login file or in NAME_CLIENT_ID and NAME_CLIENT_SECRET. */
  client_id: maybe(v.string()),
  client_secret: maybe(v.string()),
  shared_account: later,
});
export type AuthSettings = v.InferOutput<typeof authSchema>;

export const providerSchema = v.object({
  service: optional(v.string(), "rest"),
  cost_per_call: later,
  /** Seconds for all attempts together; 30 by default, and for `mcp` what the backend has. */
  timeout: maybe(v.pipe(v.number(), v.gtValue(0))),
  /** Attempts in all; a request that may have been carried out is repeated only if that does no harm. */
  max_attempts: optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(10)), 3),
  config: optional(jsonObject, {}),
  /** Instead of the file's `auth`, which is sent to the primary provider and to its origin only. */
  auth: maybe(authSchema),
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
  /** Whose a personal capability is. */
  identity_owner: maybe(
    v.object({ authority: optional(v.string(), ""), subject: optional(v.string(), ""), label: later }),
  ),
  produces: later,
  consumes: later,
  chains_with: later,
});

/** An entry of `webhooks`: where a service reports its events to. */
export const webhookSchema = v.object({
  /** Below `webhooks.base_path` of the configuration. */
  path: v.pipe(v.string(), v.regex(/^\/?[\w.~-]+(?:\/[\w.~-]+)*\/?$/, "Expected a path such as /github")),
  method: optional(
    v.pipe(v.string(), v.toUpperCase(), v.picklist(methodsWithBody, "Expected POST, PUT or PATCH")),
    "POST",
  ),
  /** Where it is kept, as in `auth.key`. */
  secret: maybe(v.string()),
  /** Also says how the service signs; see webhooks/signatures.ts. */
  signature_header: optional(
    v.pipe(v.string(), v.regex(/^[\w-]+$/, "Expected the name of a header")),
    "X-Hub-Signature-256",
  ),
  /** Without it, deliveries are checked and counted. */
  notify: optional(v.boolean(), true),
  /** Templates whose placeholders are dotted paths into what arrives. */
  transform: optional(v.object({ event_type: maybe(v.string()), data: maybe(jsonObject) }), {}),
});

/** JSON Schemas of the arguments and of the answer. */
export const schemasSchema = v.object({ input: maybe(jsonObject), output: maybe(jsonObject) });

/** Seconds an answer to the same arguments is given again; for capabilities that only read. */
export const cacheSchema = v.object({
  strategy: optional(v.string(), ""),
  ttl: optional(v.pipe(v.number(), v.minValue(0)), 0),
  key_template: later,
});

function pathsOf<const TName extends string>(...names: readonly TName[]) {
  const path = maybe(v.pipe(v.string(), v.nonEmpty("Expected a dotted path")));
  return v.object(Object.fromEntries(names.map((name) => [name, path])) as Record<TName, typeof path>);
}

/** Dotted paths to what answers of most APIs have in common. */
export const projectionGroups = {
  actor: pathsOf("id", "display_name", "email", "handle"),
  subject: pathsOf("id", "title", "kind"),
  env_time: pathsOf("created", "updated"),
  url: pathsOf("href", "label"),
  body: pathsOf("text", "format"),
};
export const projectionSchema = v.object({
  actor: maybe(projectionGroups.actor),
  subject: maybe(projectionGroups.subject),
  env_time: maybe(projectionGroups.env_time),
  url: maybe(projectionGroups.url),
  body: maybe(projectionGroups.body),
});
export type ProjectionSettings = v.InferOutput<typeof projectionSchema>;

export const definitionSchema = v.object({
  fulcrum: later,
  name: maybe(v.pipe(v.string(), v.regex(/^[A-Za-z0-9_]+$/, "Expected only letters, digits and _"))),
  description: v.pipe(v.string(), v.nonEmpty("Expected a sentence that tells a model when to use it")),
  schema: optional(schemasSchema, {}),
  providers: optional(v.record(v.string(), v.unknown()), {}),
  auth: optional(authSchema, {}),
  metadata: optional(metadataSchema, {}),
  cache: optional(cacheSchema, {}),
  transform: maybe(resultTransformSchema),
  response_transform: maybe(resultTransformSchema),
  projection: maybe(projectionSchema),
  webhooks: optional(v.record(v.string(), v.unknown()), {}),
  sha256: later,
  /** States of sessions in which it is there; all by default. */
  visible_in_states: optional(v.array(v.pipe(v.string(), v.nonEmpty("Expected the name of a state"))), []),
});
export type Definition = v.InferOutput<typeof definitionSchema>;
