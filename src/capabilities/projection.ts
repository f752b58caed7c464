/**
 * `projection` of a capability: the parts of its answer that most APIs have in common, under the same names for all.
 * The whole answer stays beside them, as `_raw`.
 */
import { valueAtPath } from "../core/transform/value-transform.ts";
import { structureIn } from "../lib/exact-json.ts";
import { isJsonObject, type Json, type JsonObject, readableJson } from "../lib/json.ts";
import type { ProjectionSettings } from "./definition-schema.ts";

/** Changes a `CallToolResult`; one that says the tool failed, or holds no JSON, is given back as it is. */
export function projected(settings: ProjectionSettings, result: JsonObject): JsonObject {
  const { content, structuredContent, isError } = result;
  if (isError === true || !Array.isArray(content)) return result;
  const blocks = content.map((block: Json) => projectedBlock(settings, block));
  if (structuredContent === undefined && blocks.every((block, at) => block === content[at])) return result;
  return {
    ...result,
    content: blocks,
    ...(structuredContent !== undefined && { structuredContent: projectedValue(settings, structuredContent) }),
  };
}

function projectedBlock(settings: ProjectionSettings, block: Json): Json {
  const json = isJsonObject(block) && typeof block["text"] === "string" ? structureIn(block["text"]) : undefined;
  return json === undefined ? block : { ...(block as JsonObject), text: readableJson(projectedValue(settings, json)) };
}

function projectedValue(settings: ProjectionSettings, value: Json): Json {
  if (Array.isArray(value)) return value.map((element: Json) => projectedValue(settings, element));
  const common: [string, Json][] = [];
  for (const [group, paths] of Object.entries(settings)) {
    const parts = Object.entries(paths ?? {}).flatMap(([name, path]) => {
      const part = path === undefined ? undefined : valueAtPath(value, path);
      return part === undefined ? [] : [[name, part] as const];
    });
    if (parts.length > 0) common.push([group, Object.fromEntries(parts)]);
  }
  return { ...Object.fromEntries(common), _raw: value };
}

/** As `tools/list` shows it while answers are projected: its old schema is not kept, and the old answer can be asked for. */
export function projectedTool({ outputSchema: _broken, ...tool }: JsonObject): JsonObject {
  const { inputSchema } = tool;
  if (!isJsonObject(inputSchema)) return tool;
  const full = { type: "boolean", description: "true gives the answer as it is without common fields" };
  const properties = (inputSchema["properties"] ?? {}) as JsonObject;
  return {
    ...tool,
    inputSchema: { ...inputSchema, properties: { ...properties, _full: properties["_full"] ?? full } },
  };
}
