import { isJsonObject, type JsonObject } from "../lib/json.ts";
import type { RequestScope } from "./request-scope.ts";

/**
 * Tools as this client can take them. Since 2026-07-28 they may describe any output; older clients refuse a whole list
 * in which one describes another than an object (schema of 2025-11-25, `Tool.outputSchema`).
 */
export function shownTools({ context }: RequestScope, tools: readonly JsonObject[]): readonly JsonObject[] {
  return context.modern === undefined ? tools.map(withObjectOutput) : tools;
}

function withObjectOutput(tool: JsonObject): JsonObject {
  const { outputSchema, ...rest } = tool;
  const isObject = outputSchema === undefined || (isJsonObject(outputSchema) && outputSchema["type"] === "object");
  return isObject ? tool : (rest as JsonObject);
}
