/**
 * `$ref` written out, so that what reaches a model stands on its own. Only inside the document: a reference to anywhere
 * else is never followed (T11). A schema that contains itself is cut where it begins again.
 */
import { isJsonObject, type Json, type JsonObject } from "../../lib/json.ts";

const maxDepth = 24;
/** Values written out for one schema; a document of mutual references grows without end otherwise (T15). */
const maxValues = 5_000;

export class RefResolver {
  readonly #document: JsonObject;
  /** References that could not be followed. */
  readonly unresolved = new Set<string>();
  #values = 0;

  constructor(document: JsonObject) {
    this.#document = document;
  }

  /** The object itself, its `$ref` followed but nothing below it. */
  follow(value: Json | undefined): JsonObject | undefined {
    let found = value;
    for (let hops = 0; isJsonObject(found) && typeof found["$ref"] === "string"; hops++) {
      if (hops > maxDepth) return undefined;
      found = this.#target(found["$ref"]);
    }
    return isJsonObject(found) ? found : undefined;
  }

  /** The schema with every reference in it replaced by what it names. */
  schema(value: Json | undefined): JsonObject {
    this.#values = 0;
    const written = this.#write(value, []);
    return isJsonObject(written) ? written : {};
  }

  #write(value: Json | undefined, open: readonly string[]): Json {
    this.#values += 1;
    if (this.#values > maxValues || open.length > maxDepth) return {};
    if (Array.isArray(value)) return value.map((item: Json) => this.#write(item, open));
    if (!isJsonObject(value)) return value ?? null;
    const { $ref } = value;
    if (typeof $ref === "string") {
      if (open.includes($ref)) return { type: "object", description: "Nested as above" };
      return this.#write(this.#target($ref) ?? {}, [...open, $ref]);
    }
    return Object.fromEntries(
      Object.entries(value).map(([key, inner]) => [key, inner === undefined ? null : this.#write(inner, open)]),
    );
  }

  #target(reference: string): Json | undefined {
    let found: Json | undefined = reference.startsWith("#/") ? this.#document : undefined;
    for (const part of reference.slice(2).split("/")) {
      const key = decodePart(part);
      found =
        typeof found === "object" && found !== null && Object.hasOwn(found, key)
          ? (found as JsonObject)[key]
          : undefined;
    }
    if (found === undefined) this.unresolved.add(reference);
    return found;
  }
}

function decodePart(part: string): string {
  const plain = part.replaceAll("~1", "/").replaceAll("~0", "~");
  try {
    return decodeURIComponent(plain);
  } catch {
    return plain;
  }
}
