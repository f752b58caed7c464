/**
 * `$ref` written out, so that what reaches a model stands on its own. Only inside the document: a reference to anywhere
 * else is never followed (T11). A schema that contains itself is cut where it begins again.
 */
import { isJsonObject, type Json, type JsonObject } from "../../lib/json.ts";

const maxHops = 24;
/** References inside each other that are written out: fewer where a schema would have too many values otherwise. */
const depths = [24, 6, 4, 3, 2, 1] as const;
/** Of one schema: more costs a model more than it says, and a document of mutual references grows without end (T15). */
const maxValues = 1_500;

export class RefResolver {
  readonly #document: JsonObject;
  /** References that could not be followed. */
  readonly unresolved = new Set<string>();
  #left = 0;
  #maxDepth = 0;

  constructor(document: JsonObject) {
    this.#document = document;
  }

  /** The object itself, its `$ref` followed but nothing below it. */
  follow(value: Json | undefined): JsonObject | undefined {
    let found = value;
    for (let hops = 0; isJsonObject(found) && typeof found["$ref"] === "string"; hops++) {
      if (hops > maxHops) return undefined;
      found = this.#target(found["$ref"]);
    }
    return isJsonObject(found) ? found : undefined;
  }

  /** The schema with every reference in it replaced by what it names, as deep as there is room. */
  schema(value: Json | undefined): JsonObject {
    let written: Json = {};
    for (const depth of depths) {
      this.#left = maxValues;
      this.#maxDepth = depth;
      written = this.#write(value, []);
      if (this.#left >= 0) break;
    }
    return isJsonObject(written) ? written : {};
  }

  #write(value: Json | undefined, open: readonly string[]): Json {
    if (Array.isArray(value)) {
      this.#left -= value.length;
      return value.map((item: Json) => this.#write(item, open));
    }
    if (!isJsonObject(value)) return value ?? null;
    const { $ref } = value;
    if (typeof $ref === "string") {
      if (open.includes($ref)) return { type: "object", description: "Nested as above" };
      return this.#write(this.#target($ref) ?? {}, [...open, $ref]);
    }
    const entries = Object.entries(value);
    this.#left -= entries.length;
    if (this.#left < 0 || open.length > this.#maxDepth)
      return typeof value["type"] === "string" ? { type: value["type"] } : {};
    return Object.fromEntries(
      entries.map(([key, inner]) => [key, inner === undefined ? null : this.#write(inner, open)]),
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
