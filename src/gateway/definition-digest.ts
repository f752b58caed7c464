/** SHA-256 of the definitions of tools as clients see them: what `quarantine show` and the record of calls name them by. */
import type { Catalog } from "../catalog/catalog.ts";
import { type JsonObject, stableJson } from "../lib/json.ts";
import { sha256Hex } from "../runtime/digest.ts";

/** Definitions stay the same object until their server lists something else. */
const known = new WeakMap<JsonObject, string>();

/** `undefined` for a tool that was never listed. */
export function definitionDigest(catalog: Catalog, server: string, tool: string): string | undefined {
  const definition = catalog.tool(server, tool);
  if (definition === undefined) return undefined;
  const digest = known.get(definition) ?? sha256Hex(stableJson(definition));
  known.set(definition, digest);
  return digest;
}
