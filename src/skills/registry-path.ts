import { expandHome, join, resolve } from "../runtime/paths.ts";
import type { Environment } from "../runtime/process.ts";

/** Absolute path of the registry: as named, else `MCP_GATEWAY_SKILLS_REGISTRY`, else `skills.json` in the state directory. */
export function registryPath(named: string | undefined, stateDirectory: string, env: Environment, cwd: string): string {
  const chosen = named || env["MCP_GATEWAY_SKILLS_REGISTRY"];
  return chosen ? resolve(cwd, expandHome(chosen, env)) : join(stateDirectory, "skills.json");
}
