/** The words of an input schema that a searcher may use: names, titles, descriptions and enum values of its parameters. */
import { isJsonObject, type Json } from "../lib/json.ts";

const maxDepth = 6;
const maxCharacters = 4_000;

/** Bounded in depth and size: an upstream's schema may be hostile. */
export function schemaText(schema: Json | undefined): string {
  const words: string[] = [];
  let left = maxCharacters;
  const add = (text: Json | undefined) => {
    if (typeof text !== "string" || left <= 0) return;
    words.push(text.slice(0, left));
    left -= text.length;
  };
  const walk = (node: Json | undefined, depth: number) => {
    if (depth > maxDepth || left <= 0 || !isJsonObject(node)) return;
    const properties = node["properties"];
    if (isJsonObject(properties)) {
      for (const [name, property] of Object.entries(properties)) {
        if (left <= 0) return;
        add(name);
        if (!isJsonObject(property)) continue;
        add(property["title"]);
        add(property["description"]);
        walk(property, depth + 1);
      }
    }
    for (const value of asArray(node["enum"])) add(value);
    add(node["const"]);
    walk(node["items"], depth + 1);
    for (const key of ["anyOf", "oneOf", "allOf"]) for (const option of asArray(node[key])) walk(option, depth + 1);
  };
  walk(schema, 0);
  return words.join("\n");
}

function asArray(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : [];
}
