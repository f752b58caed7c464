/** A document of any kind that can be imported → capability files. */
import { ConfigError } from "../../core/errors.ts";
import type { JsonObject } from "../../lib/json.ts";
import { keySource } from "../key-source.ts";
import { importGraphql } from "./graphql.ts";
import { introspectedSchema } from "./graphql-schema.ts";
import type { ImportOptions, ImportResult } from "./imported.ts";
import { importOpenApi } from "./openapi.ts";
import { importPostman, isPostman } from "./postman.ts";

const importers = { openapi: importOpenApi, graphql: importGraphql, postman: importPostman };
export type ImportKind = keyof typeof importers;

/** What the document says it is. */
export function kindOf(document: JsonObject): ImportKind | undefined {
  if (typeof document["openapi"] === "string" || typeof document["swagger"] === "string") return "openapi";
  if (isPostman(document)) return "postman";
  return introspectedSchema(document) === undefined ? undefined : "graphql";
}

/** @throws ConfigError when it is not of that kind, or says nowhere to send requests */
export function importDocument(
  document: JsonObject,
  options: ImportOptions,
  kind: ImportKind | undefined = kindOf(document),
): ImportResult {
  if (options.authKey !== undefined && keySource(options.authKey) === undefined)
    throw new ConfigError("The key must be given as where it is, e.g. env:API_KEY; a key itself belongs in no file");
  if (kind !== undefined) return importers[kind](document, options);
  throw new ConfigError(
    "This is no OpenAPI 3 or Swagger 2 document, no GraphQL introspection and no Postman collection",
  );
}
