/** The independent clients the gateway is tried with, each over HTTP and over stdio, behind one small interface. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { Client as ClientV2, StreamableHTTPClientTransport as HttpV2 } from "@modelcontextprotocol/client";
import { StdioClientTransport as StdioV2 } from "@modelcontextprotocol/client/stdio";
import { Client as ClientV1 } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport as StdioV1 } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport as HttpV1 } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import type { Transport as TransportV1 } from "@modelcontextprotocol/sdk/shared/transport.js";
import { root } from "./harness.ts";

export interface ToolResult {
  readonly content: readonly { readonly type: string; readonly text?: string }[];
  readonly isError?: boolean | undefined;
}

export interface Peer {
  listTools(): Promise<string[]>;
  callTool(name: string, args: Record<string, unknown>): Promise<ToolResult>;
  close(): Promise<void>;
}

/** Where the gateway is: an address, or a program with its environment. */
export type Target =
  | { readonly url: string }
  | { readonly command: string; readonly args: readonly string[]; readonly env: Readonly<Record<string, string>> };

export const peers: Readonly<Record<string, (target: Target) => Promise<Peer>>> = {
  async "SDK client v1"(target) {
    const client = new ClientV1({ name: "e2e", version: "1.0.0" });
    const transport =
      "url" in target
        ? new HttpV1(new URL(target.url))
        : new StdioV1({ command: target.command, args: [...target.args], env: { ...target.env }, stderr: "ignore" });
    // The SDK is not written for exactOptionalPropertyTypes.
    await client.connect(transport as TransportV1);
    return {
      listTools: async () => (await client.listTools()).tools.map(({ name }) => name),
      callTool: async (name, args) => (await client.callTool({ name, arguments: args })) as ToolResult,
      close: () => client.close(),
    };
  },
  async "SDK client v2"(target) {
    const client = new ClientV2({ name: "e2e", version: "1.0.0" });
    const transport =
      "url" in target
        ? new HttpV2(new URL(target.url))
        : new StdioV2({ command: target.command, args: [...target.args], env: { ...target.env }, stderr: "ignore" });
    await client.connect(transport);
    return {
      listTools: async () => (await client.listTools()).tools.map(({ name }) => name),
      callTool: async (name, args) => (await client.callTool({ name, arguments: args })) as ToolResult,
      close: () => client.close(),
    };
  },
  async "inspector --cli"(target) {
    return {
      listTools: async () => {
        const { tools } = (await inspect(target, "tools/list")) as { tools: { name: string }[] };
        return tools.map(({ name }) => name);
      },
      callTool: async (name, args) => {
        const pairs = Object.entries(args).map(
          ([key, value]) => `${key}=${typeof value === "string" ? value : JSON.stringify(value)}`,
        );
        const rest = pairs.flatMap((pair) => ["--tool-arg", pair]);
        return (await inspect(target, "tools/call", "--tool-name", name, ...rest)) as ToolResult;
      },
      close: async () => {},
    };
  },
};

/** One run of the inspector, which is one session of its own. */
function inspect(target: Target, method: string, ...rest: string[]): Promise<unknown> {
  const launcher = join(root, "node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js");
  const where =
    "url" in target
      ? [target.url, "--transport", "http", "--method", method, ...rest]
      : [
          ...Object.entries(target.env).flatMap(([name, value]) => ["-e", `${name}=${value}`]),
          ...["--method", method, ...rest, "--transport", "stdio", "--", target.command, ...target.args],
        ];
  return new Promise((resolve, reject) => {
    execFile("node", [launcher, "--cli", ...where], { maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
      // Exit code 5 says that the tool answered with isError; the answer is on stdout all the same.
      if (error && stdout === "") reject(new Error(`inspector ${where.join(" ")}: ${stderr || error.message}`));
      else resolve(JSON.parse(stdout));
    });
  });
}
