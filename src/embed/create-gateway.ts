/**
 * The gateway as a library: what `import { createGateway } from "mcp-gateway"` gives to programs for Bun and Deno. All
 * they see is declared here and nothing is imported before it is needed, so that this file is their declaration too.
 *
 * A gateway prints nothing, handles no signals, never ends the program, and keeps its state in memory unless it is told
 * a directory; any number of them run side by side.
 */

export interface GatewayOptions {
  /** The settings, in the words of the configuration file, or the path of such a file. Relative paths begin at the file, or where the program runs. */
  readonly config: GatewayConfig | string;
  /** Where lists of tools, sessions and logins outlive the program; without it they are kept in memory. */
  readonly dataDirectory?: string | undefined;
  /** Gets what the gateway has to say, without secrets, for instance `console`; without it nothing is said. */
  readonly logger?: GatewayLogger | undefined;
  /** Variables for `${VAR}` and `env:VAR`; those of the program by default. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
}

/** Every setting that is left out has its default; see the README, or `mcp-gateway config schema`. */
export type GatewayConfig = { readonly [section: string]: unknown };

export interface GatewayLogger {
  debug(message: string, fields: LogFields): void;
  info(message: string, fields: LogFields): void;
  warn(message: string, fields: LogFields): void;
  error(message: string, fields: LogFields): void;
}

export type LogFields = { readonly [name: string]: string | number | boolean };

export interface EmbeddedGateway extends AsyncDisposable {
  /**
   * Answers a request as the gateway's own server would: `Bun.serve({ fetch: gateway.fetch })`, `Deno.serve(gateway.fetch)`.
   * The second argument of those tells it where the request comes from. WebSockets need {@link listen}.
   */
  readonly fetch: (request: Request, connection?: unknown) => Promise<Response>;
  /** The token that `auth.bearer_token: auto` stands for. */
  readonly bearerToken: string | undefined;
  /** Opens a server. Host and port are those of the configuration unless given; port 0 takes a free one. */
  listen(address?: { readonly host?: string; readonly port?: number }): Promise<Listener>;
  /** Every server of the configuration, in its order. */
  listServers(): GatewayServer[];
  /** The tools of one server, or of all that can be asked; servers that were never asked are started for it. */
  listTools(server?: string): Promise<GatewayTool[]>;
  /** The tools that fit best what is to be done, best first. */
  searchTools(query: string, options?: { readonly limit?: number; readonly server?: string }): Promise<FoundTool[]>;
  /**
   * Calls a tool, through every policy of the configuration. A tool's own failure is a result with `isError`.
   * @throws a {@link GatewayError} when there is no result, or the reason of the signal
   */
  callTool(server: string, tool: string, args?: JsonObject, options?: CallOptions): Promise<ToolResult>;
  /**
   * Puts other settings in force, or reads the file again. Servers that did not change go on running.
   * @throws a {@link GatewayError} CONFIG_INVALID, and everything stays as it was
   */
  reload(config?: GatewayConfig | string): Promise<{ readonly changes: string; readonly restartRequired: boolean }>;
  /** Lets running calls end within `server.shutdown_timeout`; nothing of the gateway is left then. */
  close(): Promise<void>;
}

export interface Listener {
  /** Without a path: clients go to `/mcp`. */
  readonly url: string;
  readonly port: number;
  close(): Promise<void>;
}

export interface CallOptions {
  /** Aborting cancels the call, at its server too. */
  readonly signal?: AbortSignal | undefined;
  /** For the whole call, retries and waiting included; `server.request_timeout` by default. */
  readonly timeoutMs?: number | undefined;
}

export interface GatewayServer {
  readonly name: string;
  readonly description: string;
  readonly kind: string;
  readonly enabled: boolean;
  readonly state: "dormant" | "starting" | "ready" | "backoff" | "stopped";
  readonly circuit: "closed" | "open" | "half_open";
  readonly restartCount: number;
  readonly lastError: string | undefined;
}

export type JsonObject = { [key: string]: unknown };

/** As its server lists it, and which that is. */
export interface GatewayTool {
  readonly server: string;
  readonly name: string;
  readonly description?: string;
  readonly inputSchema: JsonObject;
  readonly [member: string]: unknown;
}

export type FoundTool = GatewayTool & { readonly score: number };

/** A `CallToolResult` of MCP, as the server gave it. */
export interface ToolResult {
  readonly content: readonly { readonly type: string; readonly text?: string; readonly [member: string]: unknown }[];
  readonly structuredContent?: JsonObject;
  readonly isError?: boolean;
  readonly [member: string]: unknown;
}

/** What is thrown: `name` tells configurations (`ConfigError`) from refusals and servers, `code` exactly what went wrong. */
export interface GatewayError extends Error {
  /** One of the table in the README. */
  readonly code: string;
  readonly hint: string | undefined;
  readonly data: JsonObject | undefined;
}

/** @throws a {@link GatewayError} CONFIG_INVALID whose message names every setting that is wrong, a line for each */
export async function createGateway(options: GatewayOptions): Promise<EmbeddedGateway> {
  // It would go well until the first server is started.
  if (!("Bun" in globalThis || "Deno" in globalThis)) throw new Error("mcp-gateway is a library for Bun and Deno");
  const { startEmbedded } = await import("./embedded-gateway.ts");
  return startEmbedded(options);
}
