/** How a client has to be told of the gateway. */
import type { Config } from "../config/schema.ts";
import type { AiClient, EntryStyle } from "./clients.ts";
import type { ClientEntry } from "./export-plan.ts";
import type { OwnAddress } from "./found-server.ts";

export type ExportMode = "proxy" | "stdio";

export interface GatewayAddress {
  /** `http://127.0.0.1:39400/mcp` */
  readonly url: string;
  /** The bearer token as the configuration has it: `env:VAR`, a literal, or none. */
  readonly token: string | undefined;
  /** Program and arguments that speak MCP on standard input and output. */
  readonly argv: readonly string[];
}

/** A gateway that listens on every address is reached on the loopback one. */
export function gatewayUrl({ server, mtls }: Pick<Config, "server" | "mtls">): string {
  const host = server.host === "0.0.0.0" ? "127.0.0.1" : server.host === "::" ? "::1" : server.host;
  return `http${mtls?.enabled === true ? "s" : ""}://${host.includes(":") ? `[${host}]` : host}:${server.port}`;
}

/**
 * For requests of this machine to its own gateway: the certificate is made for the names others know it by. Without TLS
 * whoever listens there is believed as well.
 */
export function ownRequest({ mtls }: Pick<Config, "mtls">): RequestInit {
  return mtls?.enabled === true ? ({ tls: { rejectUnauthorized: false } } as RequestInit) : {};
}

/** What a client may have in its entry for the gateway. */
export function ownAddress(server: Pick<Config["server"], "port" | "host" | "public_url">): OwnAddress {
  const publicHost = URL.parse(server.public_url ?? "")?.hostname;
  return { port: server.port, host: server.host, publicHost };
}

/** A client that only starts programs is given one, whatever the mode. */
export function gatewayEntry(
  { style, id }: Pick<AiClient, "style" | "id">,
  mode: ExportMode,
  at: GatewayAddress,
): ClientEntry {
  if (mode === "stdio" || style.remote === undefined) {
    const [command, ...args] = at.argv;
    return { command, args, ...style.program };
  }
  const variable = /^env:(\w+)$/.exec(at.token ?? "")?.[1];
  if (id === "codex" && variable !== undefined) return { ...style.remote(at.url), bearer_token_env_var: variable };
  const token = variable === undefined ? at.token : referenceIn(style, variable);
  if (token === undefined) return style.remote(at.url);
  const headers = { Authorization: `Bearer ${token}` };
  return { ...style.remote(at.url), [id === "codex" ? "http_headers" : "headers"]: headers };
}

/** What the client cannot fill in by itself its user has to. */
function referenceIn({ variable }: EntryStyle, name: string): string {
  return variable?.(name) ?? `\${${name}}`;
}

/** For clients we do not know. */
export const genericClient: Pick<AiClient, "style" | "id"> = {
  id: "generic",
  style: { remote: (url) => ({ type: "http", url }), variable: (name) => `\${${name}}` },
};
