/** Which file is the configuration. */
import { isFile } from "../runtime/files.ts";
import { expandHome, resolve } from "../runtime/paths.ts";
import type { Environment } from "../runtime/process.ts";

export interface ConfigSource {
  /** Absolute. */
  readonly path: string;
  /** Named by `--config` or `MCP_GATEWAY_CONFIG`, rather than found. */
  readonly explicit: boolean;
}

/** Looked for in this order when no file is named. */
export const discoveredPaths: readonly string[] = [
  "gateway.yaml",
  "config.yaml",
  "~/.config/mcp-gateway/gateway.yaml",
  "/etc/mcp-gateway/gateway.yaml",
];

/** The file that is named, whether or not it exists. */
export function namedConfig(path: string | undefined, env: Environment, cwd: string): ConfigSource | undefined {
  const named = path || env["MCP_GATEWAY_CONFIG"];
  return named ? { path: resolve(cwd, expandHome(named, env)), explicit: true } : undefined;
}

/** The first file there is; `undefined` means built-in defaults. */
export async function discoverConfig(env: Environment, cwd: string): Promise<ConfigSource | undefined> {
  for (const candidate of discoveredPaths) {
    const path = resolve(cwd, expandHome(candidate, env));
    if (await isFile(path)) return { path, explicit: false };
  }
  return undefined;
}
