/** Changes results of tools as their operator wants them: what is JSON in them by its parts, all text by patterns. */
import { isLongNumber, structureIn } from "../../lib/exact-json.ts";
import { isJsonObject, type Json, type JsonObject, readableJson } from "../../lib/json.ts";
import { compilePattern } from "./pattern.ts";
import type { ResultTransformSettings } from "./schema.ts";
import { flat, nested, type PathTree, project, rename, textAt, treeOf } from "./value-transform.ts";

interface Redaction {
  readonly pattern: RegExp;
  readonly replacement: string;
}

export class ResultTransform {
  readonly #kept: PathTree<true> | undefined;
  readonly #names: PathTree<string> | undefined;
  readonly #redactions: readonly Redaction[];
  readonly #format: ResultTransformSettings["format"];

  /** @throws Error with what is wrong with a pattern */
  constructor({ project: paths, rename: names, redact, format }: ResultTransformSettings) {
    const renames = Object.entries(names);
    this.#kept = paths.length === 0 ? undefined : treeOf(paths.map((path) => [path, true] as const));
    this.#names = renames.length === 0 ? undefined : treeOf(renames);
    this.#redactions = redact.map(({ pattern, replacement }) => ({ pattern: compilePattern(pattern), replacement }));
    this.#format = format;
  }

  /** Whether results may not be what the tool's output schema says any more. */
  get changesShape(): boolean {
    return this.#kept !== undefined || this.#names !== undefined || this.#format !== undefined;
  }

  /** A `CallToolResult`. One that says the tool failed keeps its parts: they say why. */
  apply(result: JsonObject): JsonObject {
    const isError = result["isError"] === true;
    const { content, structuredContent } = result;
    return {
      ...result,
      ...(Array.isArray(content) && { content: content.map((block: Json) => this.#block(block, isError)) }),
      ...(structuredContent !== undefined && { structuredContent: this.#value(structuredContent, isError) }),
    };
  }

  #block(block: Json, isError: boolean): Json {
    if (!isJsonObject(block)) return block;
    const { text, resource } = block;
    if (typeof text === "string") return { ...block, text: this.#text(text, isError) };
    if (isJsonObject(resource) && typeof resource["text"] === "string")
      return { ...block, resource: { ...resource, text: this.#text(resource["text"], isError) } };
    return block;
  }

  #text(text: string, isError: boolean): string {
    const json = structureIn(text);
    if (json === undefined) return this.#clean(text);
    const shaped = this.#value(json, isError);
    const template = this.#format?.type === "template" ? this.#format.template : undefined;
    if (template === undefined || isError) return readableJson(shaped);
    return (Array.isArray(shaped) ? shaped : [shaped]).map((one: Json) => filled(template, one)).join("\n");
  }

  #value(json: Json, isError: boolean): Json {
    if (isError) return this.#redacted(json);
    const kept = this.#kept === undefined ? json : (project(json, this.#kept) ?? (Array.isArray(json) ? [] : {}));
    const named = this.#names === undefined ? kept : rename(kept, this.#names);
    const clean = this.#redacted(named);
    if (this.#format?.type === "flat") return flat(clean);
    return this.#format?.type === "nested" ? nested(clean) : clean;
  }

  #redacted(json: Json): Json {
    if (this.#redactions.length === 0) return json;
    if (typeof json === "string") return this.#clean(json);
    if (typeof json !== "object" || json === null || isLongNumber(json)) return json;
    if (Array.isArray(json)) return json.map((element: Json) => this.#redacted(element));
    return Object.fromEntries(
      Object.entries(json).flatMap(([key, inner]) => (inner === undefined ? [] : [[key, this.#redacted(inner)]])),
    );
  }

  #clean(text: string): string {
    return this.#redactions.reduce((clean, { pattern, replacement }) => clean.replace(pattern, replacement), text);
  }
}

function filled(template: string, value: Json): string {
  return template.replace(/\{([^{}]+)\}/g, (_match, path: string) => textAt(value, path.trim()));
}
