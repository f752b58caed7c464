/** Requests straight into the app, and raw ones over a socket where the exact bytes matter. */
import { connect } from "node:net";
import { createHttpApp, type HttpApp } from "../../src/doors/http/app.ts";
import { type Clock, systemClock } from "../../src/lib/clock.ts";
import type { JsonObject } from "../../src/lib/json.ts";
import type { FakeGateway } from "./fake-gateway.ts";

export const bothTypes = "application/json, text/event-stream";

export interface Ask {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly address?: string;
}

export interface TestApp {
  readonly app: HttpApp;
  ask(path: string, ask?: Ask): Promise<Response>;
  /** POSTs a message or a batch; strings go as they are. */
  post(path: string, message: unknown, headers?: Readonly<Record<string, string>>): Promise<Response>;
  /** @returns the session id */
  initialize(path?: string, version?: string, headers?: Readonly<Record<string, string>>): Promise<string>;
}

export function testApp(gateway: FakeGateway, listenHost = "127.0.0.1", clock: Clock = systemClock): TestApp {
  const app = createHttpApp(gateway, listenHost, clock);
  const ask: TestApp["ask"] = async (path, { method = "GET", headers = {}, body, address = "127.0.0.1" } = {}) => {
    const content = body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) };
    const request = new Request(`http://localhost${path}`, {
      method,
      headers: { host: "localhost", ...headers },
      ...content,
    });
    return app.fetch(request, { address, keepOpen() {}, upgrade: async () => undefined });
  };
  const post: TestApp["post"] = (path, message, headers = {}) =>
    ask(path, {
      method: "POST",
      body: message,
      headers: { "content-type": "application/json", accept: bothTypes, ...headers },
    });
  return {
    app,
    ask,
    post,
    async initialize(path = "/mcp", version = "2025-11-25", headers = {}) {
      const response = await post(path, initializeMessage(version), headers);
      if (response.status !== 200) throw new Error(`initialize failed: ${response.status} ${await response.text()}`);
      return response.headers.get("mcp-session-id") as string;
    },
  };
}

export function initializeMessage(protocolVersion = "2025-11-25"): JsonObject {
  return request("init", "initialize", {
    protocolVersion,
    capabilities: {},
    clientInfo: { name: "test", version: "1" },
  });
}

export function request(id: string | number, method: string, params: JsonObject = {}): JsonObject {
  return { jsonrpc: "2.0", id, method, params };
}

export function callTool(id: string | number, name: string, args: JsonObject = {}): JsonObject {
  return request(id, "tools/call", { name, arguments: args, _meta: { progressToken: id } });
}

export async function errorOf(response: Response): Promise<{ code: number; message: string; data: JsonObject }> {
  return ((await response.json()) as { error: { code: number; message: string; data: JsonObject } }).error;
}

/** Sends these bytes and resolves with what comes back until the peer is silent or closes. */
export function sendRaw(port: number, bytes: string, quietMs = 300): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    let received = "";
    const done = () => {
      socket.destroy();
      resolve(received);
    };
    let timer = setTimeout(done, 2_000);
    socket.on("data", (chunk) => {
      received += chunk.toString();
      clearTimeout(timer);
      timer = setTimeout(done, quietMs);
    });
    socket.on("close", () => {
      clearTimeout(timer);
      done();
    });
    socket.on("error", () => {});
    socket.write(bytes);
  });
}

export function statusOf(rawResponse: string): number | "closed" {
  const status = /^HTTP\/1\.[01] (\d{3})/.exec(rawResponse)?.[1];
  return status === undefined ? "closed" : Number(status);
}

/** The messages of an event stream, read to its end. */
export async function eventsOf(response: Response): Promise<JsonObject[]> {
  const text = await response.text();
  return text
    .split("\n\n")
    .filter((event) => event.startsWith("event: message"))
    .map((event) => JSON.parse(event.slice(event.indexOf("data: ") + 6)) as JsonObject);
}
