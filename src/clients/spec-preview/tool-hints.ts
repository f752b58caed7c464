/** What a tool says of its effects, with what it leaves out filled in. Words of its server: hints, as their names say. */
import { isJsonObject, type JsonObject } from "../../lib/json.ts";

export const hintNames = ["readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"] as const;

export type ToolHints = Readonly<Record<(typeof hintNames)[number], boolean>>;

/** Defaults as in the protocol (schema, `ToolAnnotations`); what only reads destroys nothing, and may be repeated. */
export function toolHints({ annotations }: JsonObject): ToolHints {
  const said = isJsonObject(annotations) ? annotations : {};
  const readOnlyHint = said["readOnlyHint"] === true;
  return {
    readOnlyHint,
    destructiveHint: !readOnlyHint && said["destructiveHint"] !== false,
    idempotentHint: readOnlyHint || said["idempotentHint"] === true,
    openWorldHint: said["openWorldHint"] !== false,
  };
}
