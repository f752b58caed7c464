/** Parameters on one line, `path: string, head?: number`: enough for most calls at a tenth of the schema's tokens. */
import { isJsonObject, type Json } from "../lib/json.ts";

const maxLength = 240;
const maxEnumLength = 60;

/** Required parameters first. `undefined` when the tool takes none or its schema is of another shape. */
export function signature(inputSchema: Json | undefined): string | undefined {
  if (!isJsonObject(inputSchema) || !isJsonObject(inputSchema["properties"])) return undefined;
  const { properties, required } = inputSchema;
  const isRequired = (name: string) => Array.isArray(required) && required.includes(name);
  const names = Object.keys(properties);
  const parts = [...names.filter(isRequired), ...names.filter((name) => !isRequired(name))].map(
    (name) => `${name}${isRequired(name) ? "" : "?"}: ${typeName(properties[name])}`,
  );
  let line = "";
  for (const part of parts) {
    const longer = line === "" ? part : `${line}, ${part}`;
    if (longer.length > maxLength) return line === "" ? undefined : `${line}, …`;
    line = longer;
  }
  return line === "" ? undefined : line;
}

function typeName(schema: Json | undefined): string {
  if (!isJsonObject(schema)) return "any";
  const { type, items } = schema;
  if (Array.isArray(schema["enum"])) {
    const values = schema["enum"].map((value) => JSON.stringify(value)).join("|");
    if (values.length <= maxEnumLength) return values;
  }
  if (type === "array") return `${typeName(items)}[]`;
  if (typeof type === "string") return type;
  return Array.isArray(type) ? type.join("|") : "any";
}
