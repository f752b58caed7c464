/** A Postman collection, v2.0 or v2.1 → capability files, one per request. */
import { ConfigError } from "../../core/errors.ts";
import { isJsonObject, type Json, type JsonObject } from "../../lib/json.ts";
import { CapabilityNames, identifier } from "./capability-names.ts";
import { describe, type Imported, type ImportOptions, type ImportResult } from "./imported.ts";
import { postmanAuth } from "./postman-auth.ts";
import { postmanRequest } from "./postman-request.ts";
import { PostmanVariables, withoutSecrets } from "./postman-variables.ts";

/** Folders inside folders. */
const maxDepth = 16;

export function isPostman({ info, item }: JsonObject): boolean {
  return isJsonObject(info) && Array.isArray(item) && /\/collection\/v2\.[01]\.\d+\//.test(String(info["schema"]));
}

/** @throws ConfigError when it is no collection of these versions */
export function importPostman(document: JsonObject, options: ImportOptions): ImportResult {
  if (!isPostman(document))
    throw new ConfigError(
      'This is no Postman collection v2.0 or v2.1: export it as one, "info.schema" says which it is',
    );
  const importer = new Importer(document, options);
  importer.items(document, []);
  return importer.result();
}

class Importer {
  readonly #options: ImportOptions;
  readonly #names: CapabilityNames;
  readonly #variables: PostmanVariables;
  readonly #capabilities: Imported[] = [];
  readonly #warnings: string[] = [];
  #withScripts = 0;
  #leftOut = 0;

  constructor(document: JsonObject, options: ImportOptions) {
    this.#options = options;
    this.#names = new CapabilityNames(options.prefix);
    const { name } = document["info"] as JsonObject;
    const source = identifier(String(name ?? "")) || options.sourceName;
    this.#variables = new PostmanVariables(document["variable"], source, options.authKey);
  }

  /** @param around the collection and the folders around, outermost first */
  items(group: JsonObject, around: readonly JsonObject[]): void {
    const inside = [...around, group];
    if (Array.isArray(group["event"]) && group["event"].length > 0) this.#withScripts += 1;
    for (const item of Array.isArray(group["item"]) ? (group["item"] as Json[]) : []) {
      if (!isJsonObject(item)) continue;
      if (item["item"] === undefined) this.#item(item, inside);
      else if (inside.length <= maxDepth) this.items(item, inside);
      else this.#warnings.push(`Folder "${nameOf(item)}" is left out: it lies deeper than ${maxDepth} levels`);
    }
  }

  result(): ImportResult {
    if (this.#leftOut > 0)
      this.#warnings.push(`${this.#leftOut} more requests are left out: ${this.#options.maxCount} are the most`);
    if (this.#withScripts > 0) this.#warnings.push(`Scripts (${this.#withScripts}) are not carried over`);
    const { secrets } = this.#variables;
    if (secrets.length > 0)
      this.#warnings.push(`Secrets of the collection are not carried over: set ${secrets.join(", ")}`);
    return { capabilities: this.#capabilities, warnings: this.#warnings };
  }

  #item(item: JsonObject, around: readonly JsonObject[]): void {
    if (this.#capabilities.length >= this.#options.maxCount) {
      this.#leftOut += 1;
      return;
    }
    if (Array.isArray(item["event"]) && item["event"].length > 0) this.#withScripts += 1;
    // A request may be its address alone.
    const request = typeof item["request"] === "string" ? { url: item["request"] } : item["request"];
    if (!isJsonObject(request)) return;
    try {
      this.#request(item, request, around);
    } catch (error) {
      this.#warnings.push(`"${nameOf(item)}" is left out: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  #request(item: JsonObject, request: JsonObject, around: readonly JsonObject[]): void {
    const folders = around.slice(1).map(nameOf);
    const auths = [...around.map(({ auth }) => auth), request["auth"]];
    const { auth, notes } = postmanAuth(auths, this.#variables);
    const made = postmanRequest(request, this.#variables, auth);
    for (const note of [...notes, ...made.notes]) this.#warnings.push(`"${nameOf(item)}": ${note}`);
    const name = this.#names.take(nameOf(item), `${folders.at(-1) ?? made.method}_${nameOf(item)}`);
    const tags = folders.map((folder) => identifier(folder)).filter((tag) => tag !== "");
    this.#capabilities.push({
      name,
      variables: this.#variables.all,
      definition: {
        fulcrum: "1.0",
        name,
        description: describe(
          textOf(request["description"]),
          textOf(item["description"]),
          `${nameOf(item)} (${[nameOf(around[0]?.["info"] as JsonObject), ...folders].join(", ")})`,
        ),
        schema: { input: made.input },
        providers: { primary: { service: made.service, config: made.config } },
        auth: made.auth,
        metadata: {
          category: tags[0] ?? "api",
          tags: ["postman", "generated", ...tags],
          read_only: made.isReadOnly,
        },
      },
    });
  }
}

function nameOf({ name }: JsonObject): string {
  return String(name ?? "request").slice(0, 200);
}

/** A description is text, or an object around one. */
function textOf(description: Json | undefined): string {
  const text = isJsonObject(description) ? description["content"] : description;
  return typeof text === "string" ? withoutSecrets(text) : "";
}
