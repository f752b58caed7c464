/** Where things are: path arithmetic, the home directory, and the directory that holds the gateway's state. */
import { homedir } from "node:os";
import { isAbsolute, join, relative, resolve } from "node:path";
import type { Environment } from "./process.ts";

export { basename, dirname, extname, isAbsolute, join, relative, resolve } from "node:path";

function homeDirectory(env: Environment): string {
  return env["HOME"] || env["USERPROFILE"] || homedir();
}

/** Replaces a leading `~` or `~/` by the home directory; `~name` stays as it is. */
export function expandHome(path: string, env: Environment): string {
  if (path === "~") return homeDirectory(env);
  return path.startsWith("~/") || path.startsWith("~\\") ? join(homeDirectory(env), path.slice(2)) : path;
}

/** The state directory: the `--data-dir` option, else `MCP_GATEWAY_CONFIG_DIR`, else `~/.mcp-gateway`. Absolute; it may not exist yet. */
export function dataDirectory(option: string | undefined, env: Environment): string {
  const chosen = option || env["MCP_GATEWAY_CONFIG_DIR"] || "~/.mcp-gateway";
  return resolve(expandHome(chosen, env));
}

/** The path as a person would type it from `cwd`: relative when it lies below, absolute otherwise. */
export function displayPath(path: string, cwd: string): string {
  const short = relative(cwd, path);
  return short === "" || short.startsWith("..") || isAbsolute(short) ? path : short;
}
