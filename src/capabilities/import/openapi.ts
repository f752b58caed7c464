/** OpenAPI 3 and Swagger 2 → capability files, one per operation. */
import { ConfigError } from "../../core/errors.ts";
import { isJsonObject, type Json, type JsonObject } from "../../lib/json.ts";
import { CapabilityNames } from "./capability-names.ts";
import { describe, type Imported, type ImportOptions, type ImportResult } from "./imported.ts";
import { type Argument, Arguments } from "./openapi-arguments.ts";
import { operationAuth } from "./openapi-auth.ts";
import { RefResolver } from "./resolve-refs.ts";

const methods = ["get", "head", "post", "put", "patch", "delete", "options"];

/** @throws ConfigError when it is no OpenAPI or Swagger document, or says nowhere to send requests */
export function importOpenApi(document: JsonObject, options: ImportOptions): ImportResult {
  const isSwagger = typeof document["swagger"] === "string" && document["swagger"].startsWith("2.");
  if (!isSwagger && !(typeof document["openapi"] === "string" && document["openapi"].startsWith("3.")))
    throw new ConfigError('This is no OpenAPI 3 or Swagger 2 document: it has neither "openapi: 3…" nor "swagger: 2…"');
  const importer = new Importer(document, options);
  const paths = isJsonObject(document["paths"]) ? document["paths"] : {};
  for (const [path, item] of Object.entries(paths)) importer.path(path, item);
  return importer.result();
}

class Importer {
  readonly #document: JsonObject;
  readonly #options: ImportOptions;
  readonly #refs: RefResolver;
  readonly #capabilities: Imported[] = [];
  readonly #warnings: string[] = [];
  readonly #names: CapabilityNames;
  #leftOut = 0;

  constructor(document: JsonObject, options: ImportOptions) {
    this.#document = document;
    this.#options = options;
    this.#refs = new RefResolver(document);
    this.#names = new CapabilityNames(options.prefix);
  }

  path(path: string, value: Json | undefined): void {
    const item = this.#refs.follow(value);
    if (item === undefined) return;
    for (const method of methods) {
      const operation = this.#refs.follow(item[method]);
      if (operation === undefined) continue;
      if (this.#capabilities.length >= this.#options.maxCount) {
        this.#leftOut += 1;
        continue;
      }
      try {
        this.#operation(method, path, operation, item);
      } catch (error) {
        this.#warnings.push(
          `${method.toUpperCase()} ${path} is left out: ${error instanceof Error ? error.message : String(error)}`,
        );
      }
    }
  }

  result(): ImportResult {
    for (const reference of this.#refs.unresolved)
      this.#warnings.push(`"${reference}" leads out of the document or to nothing, and is not followed`);
    if (this.#leftOut > 0)
      this.#warnings.push(`${this.#leftOut} more operations are left out: ${this.#options.maxCount} are the most`);
    return { capabilities: this.#capabilities, warnings: this.#warnings };
  }

  #operation(method: string, path: string, operation: JsonObject, item: JsonObject): void {
    const args = new Arguments(this.#refs);
    for (const list of [item["parameters"], operation["parameters"]])
      for (const parameter of Array.isArray(list) ? (list as Json[]) : []) args.parameter(parameter);
    args.body(operation, this.#document["consumes"]);
    const auth = operationAuth(this.#document, operation, this.#refs, this.#options.authKey);
    const isRead = method === "get" || method === "head";
    const inQuery = args.of("query");
    const inHeader = args.of("header");
    const config: JsonObject = {
      base_url: this.#server(operation, item),
      path: args.renamedPath(path),
      method: method.toUpperCase(),
      ...(inQuery.length > 0 && { params: templates(inQuery) }),
      ...(inHeader.length > 0 && { headers: templates(inHeader) }),
      ...args.bodyConfig(),
    };
    const { operationId, summary, description } = operation;
    const ownNames = typeof operationId === "string" ? [operationId] : [];
    const [first = "", ...others] = [...ownNames, `${method}_${path}`, method];
    const name = this.#names.take(first, ...others);
    this.#capabilities.push({
      name,
      variables: [],
      definition: {
        fulcrum: "1.0",
        name,
        description: describe(summary, description, `${method.toUpperCase()} ${path}`),
        schema: { input: args.schema() },
        providers: { primary: { service: "rest", config } },
        auth,
        metadata: { category: "api", tags: ["openapi", "generated", ...tagsOf(operation)], read_only: isRead },
      },
    });
  }

  /** Without a slash at its end. */
  #server(operation: JsonObject, item: JsonObject): string {
    const given = [operation, item, this.#document]
      .map(({ servers }) => servers)
      .find((servers) => Array.isArray(servers) && servers.length > 0);
    const server = Array.isArray(given) ? this.#refs.follow(given[0] as Json) : undefined;
    const address = server === undefined ? this.#swaggerServer() : withVariables(server);
    const base = this.#options.documentUrl;
    if (!URL.canParse(address, base))
      throw new Error('it says nowhere to send requests: "servers" or "host" is missing');
    const url = decodeURI(new URL(address, base).href).replace(/\/+$/, "");
    if (!/^https?:/.test(url)) throw new Error(`its server "${address}" is not an http or https address`);
    return url;
  }

  #swaggerServer(): string {
    const { host, basePath, schemes } = this.#document;
    const path = typeof basePath === "string" ? basePath : "/";
    if (typeof host !== "string") return this.#options.documentUrl === undefined ? "" : path;
    const known = Array.isArray(schemes) ? schemes.map(String) : [];
    return `${known.includes("https") || known.length === 0 ? "https" : known[0]}://${host}${path}`;
  }
}

function withVariables({ url, variables }: JsonObject): string {
  const known = isJsonObject(variables) ? variables : {};
  return String(url ?? "").replace(/\{([^}]+)\}/g, (whole, name: string) => {
    const variable = known[name];
    return isJsonObject(variable) && variable["default"] !== undefined ? String(variable["default"]) : whole;
  });
}

function templates(args: readonly Argument[]): JsonObject {
  return Object.fromEntries(args.map(({ apiName, name }) => [apiName, `{${name}}`]));
}

function tagsOf({ tags }: JsonObject): string[] {
  return Array.isArray(tags)
    ? tags.filter((tag): tag is string => typeof tag === "string").map((tag) => tag.toLowerCase())
    : [];
}
