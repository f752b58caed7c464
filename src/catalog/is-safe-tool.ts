import { isJsonObject } from "../lib/json.ts";
import type { Listed } from "./catalog.ts";

/** Whether running the tool twice harms nothing, by its own word. */
export function isSafeTool(tool: Listed | undefined): boolean {
  const annotations = tool?.["annotations"];
  return isJsonObject(annotations) && (annotations["readOnlyHint"] === true || annotations["idempotentHint"] === true);
}
