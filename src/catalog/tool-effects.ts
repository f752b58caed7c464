import type { Call } from "../core/call.ts";
import { isJsonObject } from "../lib/json.ts";
import type { Listed } from "./catalog.ts";

export type ToolEffects = Pick<Call, "safe" | "readOnly">;
const mayWrite: ToolEffects = { safe: false };
const repeatable: ToolEffects = { safe: true };
const readsOnly: ToolEffects = { safe: true, readOnly: true };

/** What the tool says of itself. */
export function toolEffects(tool: Listed | undefined): ToolEffects {
  const annotations = tool?.["annotations"];
  if (!isJsonObject(annotations)) return mayWrite;
  if (annotations["readOnlyHint"] === true) return readsOnly;
  return annotations["idempotentHint"] === true ? repeatable : mayWrite;
}
