/** Clients that speak plain JSON-RPC to a gateway and tell how each call ended; they judge nothing and hide nothing. */
import { type ChildProcess, spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { createInterface } from "node:readline";
import { binaryPath, endedWithTests, environmentIn, writeConfig } from "../e2e/harness.ts";

export interface Outcome {
  /** The first text of the result, or the message of the JSON-RPC error. */
  readonly text: string;
  /** Whether it is a JSON-RPC error or a result that says `isError`. */
  readonly failed: boolean;
  /** Of the gateway's table of error codes; `undefined` when the answer is the backend's own. */
  readonly code: string | undefined;
  /** What the gateway tells programs about its error. */
  readonly facts: Readonly<Record<string, unknown>>;
  /** The whole result; empty for a JSON-RPC error. */
  readonly result: Readonly<Record<string, unknown>>;
  readonly tookMs: number;
}

export interface Client {
  request(method: string, params: object): Promise<Outcome>;
  call(tool: string, args?: object): Promise<Outcome>;
  /** Through the meta-tool; only for a client of `/mcp`. */
  invoke(server: string, tool: string, args?: object): Promise<Outcome>;
}

interface Response {
  readonly result?: Outcome["result"] & {
    readonly content?: readonly { readonly text?: string }[];
    readonly isError?: boolean;
    readonly _meta?: { readonly "mcp-gateway/error"?: Outcome["facts"] };
  };
  readonly error?: { readonly code: number; readonly message: string; readonly data?: Outcome["facts"] };
}

const initialize = {
  protocolVersion: "2025-11-25",
  capabilities: {},
  clientInfo: { name: "faults", version: "1" },
};

/**
 * @param path `/mcp` or `/mcp/{backend}`
 * @param headers sent with every request
 */
export async function httpClient(
  { port }: { readonly port: number },
  path = "/mcp",
  headers: Readonly<Record<string, string>> = {},
): Promise<Client> {
  let lastId = 0;
  let session: Record<string, string> = {};
  const post = async (method: string, params: object): Promise<Response> => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
        ...headers,
        ...session,
      },
      body: JSON.stringify({ jsonrpc: "2.0", id: ++lastId, method, params }),
    });
    const id = response.headers.get("mcp-session-id");
    if (id !== null) session = { "mcp-session-id": id };
    const body = await response.text();
    const isStream = response.headers.get("content-type")?.startsWith("text/event-stream");
    return JSON.parse(isStream ? body.slice(body.lastIndexOf("\ndata: ") + 7) : body) as Response;
  };
  await post("initialize", initialize);
  return clientOf(post);
}

export interface StdioGateway extends Client {
  readonly folder: string;
  readonly child: ChildProcess;
  readonly exited: Promise<number | null>;
  stderr(): string;
  /** Removes what it left; kills it when it still runs. */
  stop(): Promise<void>;
}

/** `serve --stdio`, as a host starts it. */
export async function startStdioGateway(config: object): Promise<StdioGateway> {
  const { folder, configPath } = writeConfig({ capabilities: { enabled: false }, ...config });
  const child = endedWithTests(
    spawn(binaryPath, ["serve", "--stdio", "--config", configPath], {
      cwd: folder,
      env: environmentIn(folder),
      stdio: ["pipe", "pipe", "pipe"],
    }),
  );
  const exited = new Promise<number | null>((resolve) => child.on("exit", resolve));
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  child.stdin.on("error", () => {});
  const waiting = new Map<unknown, (response: Response) => void>();
  createInterface({ input: child.stdout }).on("line", (line) => {
    const response = JSON.parse(line) as Response & { readonly id?: unknown };
    waiting.get(response.id)?.(response);
    waiting.delete(response.id);
  });
  let lastId = 0;
  const post = (method: string, params: object) =>
    new Promise<Response>((resolve) => {
      waiting.set(++lastId, resolve);
      child.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", id: lastId, method, params })}\n`);
    });
  await post("initialize", initialize);
  return {
    ...clientOf(post),
    folder,
    child,
    exited,
    stderr: () => stderr,
    async stop() {
      child.kill("SIGKILL");
      await exited;
      rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

function clientOf(post: (method: string, params: object) => Promise<Response>): Client {
  const ask = async (method: string, params: object): Promise<Outcome> => {
    const startedMs = performance.now();
    const { result, error } = await post(method, params);
    const facts = error?.data ?? result?._meta?.["mcp-gateway/error"] ?? {};
    return {
      text: error?.message ?? result?.content?.[0]?.text ?? "",
      failed: error !== undefined || result?.isError === true,
      code: facts["code"] as string | undefined,
      facts,
      result: result ?? {},
      tookMs: performance.now() - startedMs,
    };
  };
  const request: Client["request"] = (method, params) => {
    const outcome = ask(method, params);
    // A test that failed before it came to look must not make the next one fail.
    outcome.catch(() => {});
    return outcome;
  };
  const call: Client["call"] = (name, args = {}) => request("tools/call", { name, arguments: args });
  return {
    request,
    call,
    invoke: (server, tool, args = {}) => call("gateway_invoke", { server, tool, arguments: args }),
  };
}
