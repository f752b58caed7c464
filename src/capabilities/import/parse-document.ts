/** The text of a document that is to be imported → its value. */
import { ConfigError } from "../../core/errors.ts";
import { isJsonObject, type JsonObject, nestsDeeper } from "../../lib/json.ts";
import { maxYamlBytes } from "../../lib/yaml-limits.ts";
import { readDocument } from "../load.ts";

/** A type of GraphQL's own language, which is neither. */
const graphqlType = /^(?:type|interface|input|enum)\s+\w+[^:\n]*\{/m;
/** As YAML files are held to. */
const maxDepth = 64;

/**
 * JSON, or YAML with the limits of every YAML file.
 * @param name shown in messages
 * @throws ConfigError
 */
export async function parseDocument(name: string, exact: string): Promise<JsonObject> {
  const text = exact.replace(/^\ufeff/, "");
  const json = parseJson(text);
  if (json === undefined && graphqlType.test(text.slice(0, 65_536)))
    throw new ConfigError(
      `"${name}" is a schema in GraphQL's own language: import the JSON of its introspection, or "cap import-url" its server`,
    );
  if (json === undefined && text.length > maxYamlBytes)
    throw new ConfigError(`"${name}" is no JSON, and YAML is read up to ${maxYamlBytes} bytes: give it as JSON`);
  const value = json ?? (await readDocument(name, text)).value;
  if (!isJsonObject(value)) throw new ConfigError(`"${name}" is no JSON object and no YAML mapping`);
  if (nestsDeeper(value, maxDepth)) throw new ConfigError(`"${name}" is nested deeper than ${maxDepth} levels`);
  return value;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
