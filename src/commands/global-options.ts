/** Options every command takes, before or behind its name, each with its environment variable. */
import type { Override } from "../config/explain.ts";
import type { LogLevel } from "../core/log.ts";
import { type OptionDefs, UsageError } from "./command.ts";

export interface GlobalOptions {
  /** As given; `MCP_GATEWAY_CONFIG` is read where the file is located. */
  readonly config: string | undefined;
  /** What `--port`, `--host` and `--no-meta-mcp` put above the file. */
  readonly overrides: readonly Override[];
  readonly logLevel: LogLevel;
  readonly logFormat: "text" | "json";
  /** As given; see `dataDirectory` in runtime/paths.ts. */
  readonly dataDir: string | undefined;
}

export const globalArgs: OptionDefs = {
  config: { type: "string", alias: "c", valueHint: "path", description: "Configuration file (MCP_GATEWAY_CONFIG)" },
  port: { type: "string", alias: "p", valueHint: "number", description: "Port to listen on (MCP_GATEWAY_PORT)" },
  host: { type: "string", valueHint: "address", description: "Address to listen on (MCP_GATEWAY_HOST)" },
  "log-level": {
    type: "enum",
    options: ["trace", "debug", "info", "warn", "error"],
    description: "What is logged, info by default (MCP_GATEWAY_LOG_LEVEL)",
  },
  "log-format": {
    type: "enum",
    options: ["text", "json"],
    description: "How it is logged, text by default (MCP_GATEWAY_LOG_FORMAT)",
  },
  "no-meta-mcp": { type: "boolean", description: "List every tool of every backend instead of the meta-tools" },
  "data-dir": {
    type: "string",
    valueHint: "path",
    description: "State directory, ~/.mcp-gateway by default (MCP_GATEWAY_CONFIG_DIR)",
  },
  help: { type: "boolean", alias: "h", description: "Show this help" },
  version: { type: "boolean", alias: "V", description: "Show the version" },
};

const variables: Readonly<Record<string, string>> = {
  port: "MCP_GATEWAY_PORT",
  host: "MCP_GATEWAY_HOST",
  "log-level": "MCP_GATEWAY_LOG_LEVEL",
  "log-format": "MCP_GATEWAY_LOG_FORMAT",
};

/** @throws UsageError for a value that is not one of those allowed */
export function globalOptions(
  given: (name: string) => string | undefined,
  isSet: (name: string) => boolean,
  variable: (name: string) => string | undefined,
): GlobalOptions {
  const read = (name: string) => {
    const text = given(name);
    if (text !== undefined) return { text, from: `--${name}` };
    const from = variables[name] as string;
    return { text: variable(from) || undefined, from };
  };
  const choice = <T extends string>(name: string, fallback: T): T => {
    const { text, from } = read(name);
    const options = (globalArgs[name] as { options?: string[] }).options ?? [];
    if (text === undefined || options.includes(text.toLowerCase())) return (text?.toLowerCase() ?? fallback) as T;
    throw new UsageError(`${from} must be one of ${options.join(", ")}, not "${text}"`);
  };
  const overrides: Override[] = [];
  const host = read("host");
  if (host.text !== undefined) overrides.push({ path: ["server", "host"], value: host.text, from: host.from });
  const port = read("port");
  if (port.text !== undefined) {
    if (!/^\d{1,5}$/.test(port.text))
      throw new UsageError(`${port.from} must be a whole number from 0 to 65535, not "${port.text}"`);
    overrides.push({ path: ["server", "port"], value: Number(port.text), from: port.from });
  }
  if (isSet("no-meta-mcp")) overrides.push({ path: ["meta_mcp", "enabled"], value: false, from: "--no-meta-mcp" });
  return {
    config: given("config"),
    overrides,
    logLevel: choice<LogLevel>("log-level", "info"),
    logFormat: choice<"text" | "json">("log-format", "text"),
    dataDir: given("data-dir"),
  };
}
