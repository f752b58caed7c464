/** Which variables may be settings; the rest of what there is to know about them is only loaded when there is one. */
import type { Environment } from "../runtime/process.ts";
import { configOutline } from "./config-outline.ts";

/** Of every variable of ours. */
export const variablePrefix = "MCP_GATEWAY_";

/** Whether a variable has `__` in its name or the name of a plain setting; `MCP_GATEWAY_CONFIG`, a file, is not the section. */
export function namesSettings(env: Environment): boolean {
  return Object.keys(env).some(
    (name) => name.startsWith(variablePrefix) && (name.includes("__") || isPlain(name.slice(variablePrefix.length))),
  );
}

function isPlain(name: string): boolean {
  const kind = configOutline.entries[name.replaceAll("-", "_").toLowerCase()]?.is;
  return kind !== undefined && kind !== "object" && kind !== "map";
}
