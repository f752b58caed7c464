/**
 * Where things are: path arithmetic, the home directory, and the directory that holds the gateway's state. Paths that are
 * absolute and plain already, which is what a start is about, take no help from `node:path`: see {@link builtin}.
 */
import { builtin } from "./builtin.ts";
import type { Environment } from "./process.ts";

/** Absolute and normal: no empty part, no `.` or `..`, no `/` at the end. Elsewhere than on Windows it names itself. */
function isPlain(path: string): boolean {
  const [root, ...parts] = path.split("/");
  const isNormal = parts.length > 0 && parts.every((part) => part !== "" && part !== "." && part !== "..");
  return process.platform !== "win32" && root === "" && isNormal;
}

/** `path` as seen from the absolute `base`. */
export function resolve(base: string, path: string): string {
  if (isPlain(path)) return path;
  const below = `${base}/${path}`;
  return !path.startsWith("/") && isPlain(below) ? below : builtin("node:path").resolve(base, path);
}

export function join(folder: string, ...parts: string[]): string {
  const path = [folder, ...parts].join("/");
  return folder !== "" && isPlain(path) ? path : builtin("node:path").join(folder, ...parts);
}

export function dirname(path: string): string {
  return isPlain(path) ? path.slice(0, path.lastIndexOf("/")) || "/" : builtin("node:path").dirname(path);
}

export function basename(path: string): string {
  return builtin("node:path").basename(path);
}

export function extname(path: string): string {
  return builtin("node:path").extname(path);
}

export function relative(from: string, to: string): string {
  return builtin("node:path").relative(from, to);
}

function homeDirectory(env: Environment): string {
  return env["HOME"] || env["USERPROFILE"] || builtin("node:os").homedir();
}

/** Replaces a leading `~` or `~/` by the home directory; `~name` stays as it is. */
export function expandHome(path: string, env: Environment): string {
  if (path === "~") return homeDirectory(env);
  return path.startsWith("~/") || path.startsWith("~\\") ? join(homeDirectory(env), path.slice(2)) : path;
}

/** The state directory: the `--data-dir` option, else `MCP_GATEWAY_CONFIG_DIR`, else `~/.mcp-gateway`. Absolute; it may not exist yet. */
export function dataDirectory(option: string | undefined, env: Environment): string {
  const chosen = option || env["MCP_GATEWAY_CONFIG_DIR"] || "~/.mcp-gateway";
  return resolve(process.cwd(), expandHome(chosen, env));
}

/** The path as a person would type it from `cwd`: relative when it lies below, absolute otherwise. */
export function displayPath(path: string, cwd: string): string {
  if (isPlain(cwd) && isPlain(path)) return path.startsWith(`${cwd}/`) ? path.slice(cwd.length + 1) : path;
  const short = relative(cwd, path);
  return short === "" || short.startsWith("..") || builtin("node:path").isAbsolute(short) ? path : short;
}
