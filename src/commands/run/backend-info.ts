/** A backend of the file as `list` and `get` show it; nothing is expanded, and secrets stay hidden. */
import { backendSecrets } from "../../config/backend-secrets.ts";
import { joinCommand, splitCommand } from "../../config/command-line.ts";
import { isMap, type Settings } from "../../config/path.ts";
import { Redactor } from "../../lib/redact.ts";

export interface BackendInfo {
  readonly name: string;
  readonly transport: "stdio" | "http" | "sse" | "streamable-http" | "websocket" | "unix" | "a2a" | "group" | "none";
  readonly description: string;
  readonly enabled: boolean;
  readonly command?: string;
  readonly url?: string;
  readonly env: Readonly<Record<string, string>>;
  /** Only of a `group`. */
  readonly replicas?: readonly ReplicaInfo[];
}

export type ReplicaInfo = Pick<BackendInfo, "transport" | "command" | "url" | "env"> & {
  readonly id?: string;
  readonly weight?: number;
};

export function backendInfo(name: string, entry: Settings): BackendInfo {
  const { replicas } = entry;
  return {
    name,
    description: text(entry["description"]) ?? "",
    enabled: entry["enabled"] !== false,
    ...serverInfo(entry),
    ...(Array.isArray(replicas) && { replicas: replicas.filter(isMap).map(replicaInfo) }),
  };
}

function replicaInfo(entry: Settings): ReplicaInfo {
  const { id, weight } = entry;
  return {
    ...(typeof id === "string" && { id }),
    ...(typeof weight === "number" && { weight }),
    ...serverInfo(entry),
  };
}

function serverInfo(entry: Settings): Pick<BackendInfo, "transport" | "command" | "url" | "env"> {
  const url = text(entry["http_url"] ?? entry["url"] ?? entry["a2a_url"]);
  const command = commandLine(entry["command"], entry["args"]);
  const split = splitCommand(command ?? "");
  const env = isMap(entry["env"]) ? texts(entry["env"]) : {};
  const secrets = { env, headers: {}, command: "words" in split ? split.words : [], http_url: url };
  const { redact } = new Redactor(backendSecrets(secrets));
  return {
    transport: transportOf(entry),
    ...(command !== undefined && { command: redact(command) }),
    ...(url !== undefined && { url: redact(url) }),
    env: texts(env, redact),
  };
}

function transportOf(entry: Settings): BackendInfo["transport"] {
  if (entry["command"] !== undefined) return "stdio";
  if (entry["a2a_url"] !== undefined) return "a2a";
  if (entry["replicas"] !== undefined) return "group";
  const url = text(entry["http_url"] ?? entry["url"]);
  if (url === undefined) return "none";
  if (/^wss?:/i.test(url)) return "websocket";
  if (/^unix:/i.test(url)) return "unix";
  if (entry["streamable_http"] === true) return "streamable-http";
  return url.endsWith("/sse") ? "sse" : "http";
}

function commandLine(command: unknown, args: unknown): string | undefined {
  const words = (value: unknown) => (Array.isArray(value) ? joinCommand(value.map(String)) : text(value));
  const parts = [words(command), words(args)].filter((part) => part !== undefined);
  return parts.length === 0 ? undefined : parts.join(" ");
}

function texts(map: Settings, change = (value: string) => value): Record<string, string> {
  return Object.fromEntries(Object.entries(map).map(([key, value]) => [key, change(String(value))]));
}

function text(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
