import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import { GatewayError, UpstreamError } from "../../src/core/errors.ts";
import { silentLogger } from "../../src/core/log.ts";
import type { Connection } from "../../src/core/upstream.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { placeOf, type UnixSettings, unixConnect } from "../../src/upstreams/unix/connect-unix.ts";
import { until } from "../fixtures/processes.ts";
import { initializeResult, type Message, result } from "../fixtures/raw-mcp-server.ts";

const never = new AbortController().signal;
const defaults = { name: "local", headers: {}, maxResultBytes: 100_000, clock: systemClock, log: silentLogger };
const folder = mkdtempSync(join(tmpdir(), "mcp-unix-"));
after(() => rmSync(folder, { recursive: true, force: true }));
let count = 0;

interface Listening {
  readonly path: string;
  readonly sockets: Socket[];
  stop(): Promise<void>;
}

async function listen(server: ReturnType<typeof createServer>, path = join(folder, `${++count}.sock`)) {
  const sockets: Socket[] = [];
  server.on("connection", (socket: Socket) => {
    sockets.push(socket);
    socket.on("error", () => {});
  });
  await new Promise<void>((resolve) => server.listen(path, () => resolve()));
  const listening: Listening = {
    path,
    sockets,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
  return listening;
}

/** Takes a message per line; answers `initialize` and leaves the rest to the test. */
function lineServer(onMessage: (socket: Socket, message: Message) => void, path?: string): Promise<Listening> {
  const server = createServer((socket) => {
    let held = "";
    socket.setEncoding("utf8").on("data", (text: string) => {
      const lines = (held + text).split("\n");
      held = lines.pop() as string;
      for (const line of lines) {
        if (!line.startsWith("{")) return void socket.destroy();
        const message = JSON.parse(line) as Message;
        if (message.method === "initialize") socket.write(`${result(message.id, initializeResult)}\n`);
        else if (message.id !== undefined) onMessage(socket, message);
      }
    });
  });
  return listen(server, path);
}

function sdkServer(): McpServer {
  const server = new McpServer({ name: "sdk", version: "1" });
  server.registerTool("echo", {}, () => ({ content: [{ type: "text", text: "echo" }] }));
  return server;
}

const connect = (path: string, settings: Partial<UnixSettings> = {}) =>
  unixConnect({ ...defaults, url: `unix://${path}`, ...settings });
const opened = (path: string, settings?: Partial<UnixSettings>) =>
  connect(path, settings)(never, { onNotification() {} });
const call = async (connection: Connection) =>
  (await connection.request({ method: "tools/call", params: { name: "echo", arguments: {} }, signal: never })).text;

function failsWith(code: string, message: RegExp) {
  return (error: unknown) => {
    assert.ok(error instanceof GatewayError, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, message);
    return true;
  };
}

test("connect: a server of lines, the SDK's own over a socket, is talked to in lines", async () => {
  const server = await listen(
    createServer((socket) => void sdkServer().connect(new StdioServerTransport(socket, socket))),
  );
  const connection = await opened(server.path);
  assert.equal(connection.description.serverInfo["name"], "sdk");
  assert.match(await call(connection), /"text":"echo"/);
  assert.equal(server.sockets.length, 1);
  await connection.close();
  await until(() => server.sockets.every(({ destroyed }) => destroyed));
  await server.stop();
});

test("connect: an HTTP server is recognized by its answer, with its path named or not, and remembered", async () => {
  let requests = 0;
  const server = await listen(
    createHttpServer(async (request, response) => {
      requests++;
      if (!["/mcp", "/other"].includes(request.url ?? "")) return void response.writeHead(404).end();
      assert.equal(request.headers["x-tenant"], "one");
      const transport = new StreamableHTTPServerTransport();
      await sdkServer().connect(transport as Parameters<McpServer["connect"]>[0]);
      await transport.handleRequest(request, response);
    }),
  );
  for (const [address, lookedAgain] of [
    [server.path, 1],
    [`${server.path}:/other`, 0],
  ] as const) {
    const connectAgain = connect(address, { headers: { "X-Tenant": "one" } });
    const before = server.sockets.length;
    for (let time = 0; time < 2; time++) {
      const connection = await connectAgain(never, { onNotification() {} });
      assert.equal(connection.description.serverInfo["name"], "sdk");
      assert.match(await call(connection), /"text":"echo"/);
      await connection.close();
    }
    assert.ok(server.sockets.length - before >= lookedAgain);
  }
  assert.ok(requests >= 8);
  await assert.rejects(opened(`${server.path}:/wrong`), failsWith("UPSTREAM_START_FAILED", /HTTP 404/));
  await server.stop();
});

test("connect: a server that is neither, hangs up or is not there is told with what it did", async () => {
  const mute = await listen(createServer((socket) => socket.destroy()));
  await assert.rejects(
    opened(mute.path),
    failsWith("UPSTREAM_START_FAILED", /neither lines of JSON-RPC nor HTTP on ".*": .*hung up on a line; /),
  );
  await mute.stop();
  await assert.rejects(
    opened(join(folder, "nobody.sock")),
    failsWith("UPSTREAM_START_FAILED", /Cannot connect to server "local": .*(ENOENT|No such file)/i),
  );
  const silent = await listen(createServer(() => {}));
  const abort = new AbortController();
  const connecting = connect(silent.path)(abort.signal, { onNotification() {} });
  await until(() => silent.sockets.length === 1);
  abort.abort(new UpstreamError("UPSTREAM_START_FAILED", "Too slow"));
  await assert.rejects(connecting, failsWith("UPSTREAM_START_FAILED", /Too slow/));
  await silent.stop();
});

test("connect: a server that becomes one of the other kind is found again", async () => {
  const path = join(folder, "changing.sock");
  const connectAgain = connect(path);
  const first = await listen(
    createHttpServer(async (request, response) => {
      const transport = new StreamableHTTPServerTransport();
      await sdkServer().connect(transport as Parameters<McpServer["connect"]>[0]);
      await transport.handleRequest(request, response);
    }),
    path,
  );
  await (await connectAgain(never, { onNotification() {} })).close();
  await first.stop();
  const second = await lineServer((socket, { id }) => void socket.write(`${result(id, { lines: true })}\n`), path);
  await assert.rejects(connectAgain(never, { onNotification() {} }));
  const connection = await connectAgain(never, { onNotification() {} });
  assert.equal(await call(connection), '{"lines":true}');
  await connection.close();
  await second.stop();
});

test("request: noise, large answers and lost connections cost only what they must", async () => {
  const server = await lineServer((socket, { id, params }) => {
    switch (params?.["name"]) {
      case "noise":
        return void socket.write(`starting up...\n${result(id, {})}\n`);
      case "large":
        return void socket.write(`${result(id, { text: "x".repeat(200_000) })}\n`);
      case "leave":
        return void socket.destroy();
      default:
        return void socket.write(`${result(id, { ok: true })}\n`);
    }
  });
  const connection = await opened(server.path);
  const named = (name: string) =>
    connection.request({ method: "tools/call", params: { name }, signal: never }).then(({ text }) => text);
  assert.equal(await named("noise"), "{}");
  await assert.rejects(named("large"), failsWith("RESULT_TOO_LARGE", /more than 100000 bytes/));
  assert.equal(await named("fine"), '{"ok":true}');
  await assert.rejects(named("leave"), failsWith("UPSTREAM_CLOSED", /closed the connection on its Unix socket/));
  assert.match(await connection.closed, /closed the connection/);
  await server.stop();
});

test("placeOf: the path of the socket, and of an HTTP server on it", () => {
  assert.deepEqual(placeOf("unix:///run/a b.sock"), { path: "/run/a b.sock", httpPath: undefined });
  assert.deepEqual(placeOf("unix:///run/a%20b.sock:/mcp/x"), { path: "/run/a b.sock", httpPath: "/mcp/x" });
  assert.deepEqual(placeOf("unix:///run/100%.sock"), { path: "/run/100%.sock", httpPath: undefined });
});
