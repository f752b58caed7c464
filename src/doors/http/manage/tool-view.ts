import type { Listed } from "../../../catalog/catalog.ts";
import type { JsonObject } from "../../../lib/json.ts";

/** A tool as the dashboard shows it; `schema` is the one of its input. */
export function toolView(server: string, tool: Listed): JsonObject {
  const { name, title, description, inputSchema, annotations } = tool;
  return {
    server,
    name,
    title: title ?? null,
    description: description ?? "",
    schema: inputSchema ?? null,
    annotations: annotations ?? null,
  };
}
