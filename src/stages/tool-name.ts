import type { Call } from "../core/call.ts";

/** The tool a call is for; `undefined` for every other method, and for a `tools/call` that names none. */
export function toolName(call: Call): string | undefined {
  if (call.method !== "tools/call") return undefined;
  const name = call.params?.["name"];
  return typeof name === "string" ? name : undefined;
}
