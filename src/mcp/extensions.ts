/** Extensions of the protocol that the gateway carries (SEP-2133): the others are declared to nobody, so that no one relies on them. */
import { isJsonObject, type JsonObject } from "../lib/json.ts";

/** MCP Apps: tools with a user interface, `ui://` resources (SEP-1865). Nothing of it is ours to change. */
export const uiExtension = "io.modelcontextprotocol/ui";
/** Tasks of 2026-07-28 (SEP-2663). */
export const tasksExtension = "io.modelcontextprotocol/tasks";
/** Skills as resources (SEP-2640): entries carry digests, so that not a byte of a skill may change on its way. */
export const skillsExtension = "io.modelcontextprotocol/skills";

/** Of declared capabilities, the extensions with these ids. */
export function extensionsIn(capabilities: JsonObject, ids: readonly string[]): JsonObject {
  const { extensions } = capabilities;
  if (!isJsonObject(extensions)) return {};
  return Object.fromEntries(ids.flatMap((id) => (isJsonObject(extensions[id]) ? [[id, extensions[id]] as const] : [])));
}
