/** Recognises the configuration of another gateway, so that its owner hears how to bring it over and not what it lacks. */
import { ConfigError } from "../core/errors.ts";
import { isMap, valueAt } from "./path.ts";

/** Of a text that is no YAML map. */
export function isToml(text: string, label: string): boolean {
  if (/\.toml$/i.test(label)) return true;
  return /^[ \t]*\[{1,2}[\w."-]+\]{1,2}[ \t\r]*(?:#.*)?$/m.test(text) && /^[ \t]*[\w."-]+[ \t]*=/m.test(text);
}

export function hasUpstreamGroups(value: unknown): boolean {
  return isMap(valueAt(value, ["upstream", "groups"]));
}

export function foreignFile(label: string): ConfigError {
  const command = `mcp-gateway config import ${/\s/.test(label) ? JSON.stringify(label) : label} -o gateway.yaml`;
  return new ConfigError(`${label}:1:1  The file is the configuration of another gateway; convert it with: ${command}`);
}
