/** Clients that send exactly what a test says: bytes on a socket, messages over HTTP, lines over stdio. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { connect } from "node:net";
import { createInterface } from "node:readline";
import { binaryPath, environmentIn } from "../e2e/harness.ts";
import { scriptArgv } from "../fixtures/script-argv.ts";

// biome-ignore lint/suspicious/noExplicitAny: what comes back is looked at member by member, and asserted
export type Loose = any;

/** Command of the scripted backend; see backend.ts for its options. */
export function backendCommand(...options: string[]): string[] {
  return scriptArgv("../security/backend.ts", ...options);
}

/** Sends these bytes and resolves with all that comes until the other end closes, at most 10 seconds. */
export function sendBytes(port: number, bytes: string | Uint8Array): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    let received = "";
    const timer = setTimeout(() => socket.destroy(), 10_000);
    socket.setEncoding("latin1").on("data", (chunk) => {
      received += chunk;
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      clearTimeout(timer);
      resolve(received);
    });
    socket.write(bytes);
  });
}

export function statusOf(response: string): number | undefined {
  const status = /^HTTP\/1\.[01] (\d{3})/.exec(response)?.[1];
  return status === undefined ? undefined : Number(status);
}

export function initializeMessage(id: string | number = 0): object {
  const params = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "test", version: "1" } };
  return { jsonrpc: "2.0", id, method: "initialize", params };
}

export function toolCall(id: string | number, name: string, args: object = {}, progressToken?: unknown): object {
  const meta = progressToken === undefined ? {} : { _meta: { progressToken } };
  return { jsonrpc: "2.0", id, method: "tools/call", params: { name, arguments: args, ...meta } };
}

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  /** Body as it came. */
  readonly body: string;
  /** All messages, of a JSON body or of the events. */
  readonly messages: Loose[];
  /** The last of {@link messages}. */
  readonly message: Loose;
}

const jsonHeaders = { "content-type": "application/json", accept: "application/json, text/event-stream" };

/** POSTs one message; a string or bytes go as they are. */
export async function post(
  url: string,
  message: object | string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Reply> {
  const body = typeof message === "string" || message instanceof Uint8Array ? message : JSON.stringify(message);
  const response = await fetch(url, {
    method: "POST",
    headers: { ...jsonHeaders, ...headers },
    body: body as BodyInit,
    signal: AbortSignal.timeout(30_000),
  });
  const text = await response.text();
  const isStream = response.headers.get("content-type")?.startsWith("text/event-stream") ?? false;
  const messages = isStream
    ? text.split("\n\n").flatMap((event) => /^data: (.+)$/m.exec(event)?.[1] ?? [])
    : text === ""
      ? []
      : [text];
  const parsed = messages.map((one) => JSON.parse(one) as Loose);
  return { status: response.status, headers: response.headers, body: text, messages: parsed, message: parsed.at(-1) };
}

/** One session over HTTP. */
export class HttpClient {
  readonly url: string;
  readonly headers: Record<string, string>;
  #lastId = 0;

  private constructor(url: string, headers: Record<string, string>) {
    this.url = url;
    this.headers = headers;
  }

  get sessionId(): string {
    return this.headers["mcp-session-id"] as string;
  }

  static async open(url: string, headers: Readonly<Record<string, string>> = {}): Promise<HttpClient> {
    const reply = await post(url, initializeMessage(), headers);
    const id = reply.headers.get("mcp-session-id");
    if (id === null) throw new Error(`initialize at ${url} failed: ${reply.status} ${reply.body}`);
    return new HttpClient(url, { ...headers, "mcp-session-id": id });
  }

  send(message: object | string): Promise<Reply> {
    return post(this.url, message, this.headers);
  }

  request(method: string, params: object = {}): Promise<Reply> {
    return this.send({ jsonrpc: "2.0", id: ++this.#lastId, method, params });
  }

  tool(name: string, args: object = {}): Promise<Reply> {
    return this.request("tools/call", { name, arguments: args });
  }

  /** `gateway_invoke` */
  invoke(server: string, tool: string, args: object = {}): Promise<Reply> {
    return this.tool("gateway_invoke", { server, tool, arguments: args });
  }
}

/** A gateway that speaks stdio, as its only client has it. */
export class StdioClient {
  readonly child: ChildProcessWithoutNullStreams;
  readonly #waiting = new Map<unknown, (message: Loose) => void>();
  readonly #unasked: Loose[] = [];
  readonly #exited: Promise<number | null>;
  stderr = "";
  /** Everything ever written to stdout. */
  stdout = "";

  constructor(configPath: string, folder: string, ...args: string[]) {
    this.child = spawn(binaryPath, ["serve", "--stdio", "--config", configPath, ...args], {
      cwd: folder,
      env: environmentIn(folder),
    });
    this.child.stderr.setEncoding("utf8").on("data", (chunk) => {
      this.stderr += chunk;
    });
    this.child.stdin.on("error", () => {});
    createInterface({ input: this.child.stdout }).on("line", (line) => {
      this.stdout += `${line}\n`;
      const message = JSON.parse(line) as Loose;
      const take = this.#waiting.get(message.id ?? null);
      this.#waiting.delete(message.id ?? null);
      if (take === undefined) this.#unasked.push(message);
      else take(message);
    });
    this.#exited = new Promise((resolve) => this.child.on("exit", resolve));
  }

  /** Writes the line and resolves with the message that answers this id; `null` for errors that can name none. */
  ask(line: object | string | Uint8Array, id: unknown): Promise<Loose> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`No answer with id ${id}; stderr:\n${this.stderr}`)), 20_000);
      this.#waiting.set(id, (message) => {
        clearTimeout(timer);
        resolve(message);
      });
      const isText = typeof line === "string" || line instanceof Uint8Array;
      this.child.stdin.write(isText ? line : JSON.stringify(line));
      this.child.stdin.write("\n");
    });
  }

  /** Ends the input; resolves with the exit code. */
  async stop(): Promise<number | null> {
    this.child.stdin.end();
    const timer = setTimeout(() => this.child.kill("SIGKILL"), 10_000);
    const code = await this.#exited;
    clearTimeout(timer);
    return code;
  }
}

/** Resident memory of a process in bytes. */
export async function residentBytes(pid: number | undefined): Promise<number> {
  const { readFileSync } = await import("node:fs");
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
}

/** Runs the work for every item, at most `limit` at once. */
export async function each<T>(items: readonly T[], limit: number, work: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values();
  const lanes = Array.from({ length: limit }, async () => {
    for (const item of queue) await work(item);
  });
  await Promise.all(lanes);
}
