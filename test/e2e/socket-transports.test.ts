/** WebSockets, Unix sockets and HTTP+SSE on the executable: every door with every such backend, with the official SDK at both ends. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { SSEClientTransport } from "@modelcontextprotocol/sdk/client/sse.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { WebSocketClientTransport } from "@modelcontextprotocol/sdk/client/websocket.js";
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js";
import {
  ElicitRequestSchema,
  ResourceUpdatedNotificationSchema,
  ToolListChangedNotificationSchema,
} from "@modelcontextprotocol/sdk/types.js";
import { until } from "../fixtures/processes.ts";
import { status } from "../fixtures/raw-http-server.ts";
import { openRaw, rawWebSocketServer } from "../fixtures/raw-web-socket.ts";
import { type SocketServer, unixHttpServer, unixLineServer, webSocketServer } from "../fixtures/socket-servers.ts";
import { freePort, type GatewayProcess, startGateway } from "./harness.ts";

const folder = mkdtempSync(join(tmpdir(), "mcp-sockets-"));
const servers: Record<string, SocketServer> = {};
let gateway: GatewayProcess;
let socketPort: number;

/** A certificate for localhost, of an authority that is made for it; nothing where there is no openssl. */
function certificate(): { key: Buffer; cert: Buffer; authority: string } | undefined {
  const file = (name: string) => join(folder, name);
  const openssl = (...args: string[]) => execFileSync("openssl", args, { cwd: folder, stdio: "ignore" });
  const fresh = ["-newkey", "rsa:2048", "-nodes", "-days", "2"];
  try {
    openssl("req", "-x509", ...fresh, "-subj", "/CN=Test", "-keyout", "ca.key", "-out", "ca.pem");
    openssl(
      ...["req", "-x509", ...fresh, "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"],
      ...["-CA", "ca.pem", "-CAkey", "ca.key", "-keyout", "key.pem", "-out", "cert.pem"],
    );
  } catch {
    return undefined;
  }
  return { key: readFileSync(file("key.pem")), cert: readFileSync(file("cert.pem")), authority: file("ca.pem") };
}

before(async () => {
  const tls = certificate();
  servers["ws"] = await webSocketServer("ws");
  if (tls !== undefined) servers["wss"] = await webSocketServer("wss", tls);
  servers["lines"] = await unixLineServer("lines", join(folder, "lines.sock"));
  servers["unix-http"] = await unixHttpServer("unix-http", join(folder, "http.sock"));
  socketPort = await freePort();
  gateway = await startGateway(
    {
      server: { ws_port: socketPort },
      capabilities: { enabled: false },
      failsafe: { rate_limit: { enabled: false } },
      backends: Object.fromEntries(Object.entries(servers).map(([name, { url }]) => [name, { http_url: url }])),
    },
    { env: tls === undefined ? {} : { NODE_EXTRA_CA_CERTS: tls.authority } },
  );
});
after(async () => {
  await gateway?.stop();
  await Promise.all(Object.values(servers).map((server) => server.stop()));
  rmSync(folder, { recursive: true, force: true });
});

const doors: Record<string, (path: string) => Transport> = {
  WebSocket: (path) => new WebSocketClientTransport(new URL(`ws://127.0.0.1:${gateway.port}/mcp${path}`)),
  "a port for WebSockets": (path) => new WebSocketClientTransport(new URL(`ws://127.0.0.1:${socketPort}/mcp${path}`)),
  "HTTP+SSE": (path) => new SSEClientTransport(new URL(`http://127.0.0.1:${gateway.port}/sse${path}`)) as Transport,
  "Streamable HTTP": (path) =>
    new StreamableHTTPClientTransport(new URL(`http://127.0.0.1:${gateway.port}/mcp${path}`)) as Transport,
};

async function connect(door: string, path: string) {
  const client = new Client({ name: "test", version: "1" }, { capabilities: { elicitation: {} } });
  const heard: string[] = [];
  client.setRequestHandler(ElicitRequestSchema, () => ({ action: "accept" as const, content: { name: door } }));
  client.setNotificationHandler(ToolListChangedNotificationSchema, () => void heard.push("tools"));
  client.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) => void heard.push(params.uri));
  await client.connect((doors[door] as (path: string) => Transport)(path));
  const call = async (name: string, args: Record<string, unknown> = {}, options = {}) => {
    const result = await client.callTool({ name, arguments: args }, undefined, options);
    return (result.content as { text: string }[])[0]?.text as string;
  };
  return { client, heard, call };
}

for (const door of Object.keys(doors))
  test(`${door}: everything of every backend behind a socket works as over HTTP`, async () => {
    for (const [name, server] of Object.entries(servers)) {
      const { client, heard, call } = await connect(door, `/${name}`);
      const where = `${name} through ${door}`;
      assert.equal(await call("echo"), name);
      const steps: number[] = [];
      const onprogress = ({ progress }: { progress: number }) => void steps.push(progress);
      assert.equal(await call("count", {}, { onprogress }), "3");
      assert.deepEqual(steps, [1, 2, 3], where);
      assert.match(await call("who"), new RegExp(`"name":"${door.replace("+", "\\+")}"`));

      server.events.length = 0;
      const abort = new AbortController();
      const hanging = call("hang", {}, { signal: abort.signal });
      await until(() => server.events.includes("hanging"));
      abort.abort("enough");
      await assert.rejects(hanging);
      await until(() => server.events.includes("aborted"));

      await client.subscribeResource({ uri: "test://watched" });
      await call("touch");
      await until(() => heard.includes("test://watched"));
      await client.unsubscribeResource({ uri: "test://watched" });
      assert.ok(server.events.includes("+test://watched"), where);

      const before = (await client.listTools()).tools.length;
      await call("grow");
      await until(() => heard.includes("tools"));
      assert.equal((await client.listTools()).tools.length, before + 1, where);
      await client.close();
    }
  });

test("all of them are there through the meta-tools, and named for what they are", async () => {
  const { client, call } = await connect("WebSocket", "");
  for (const name of Object.keys(servers))
    assert.equal(await call("gateway_invoke", { server: name, tool: "echo" }), name);
  await client.close();
  const health = (await (await fetch(`${gateway.url}/health`)).json()) as {
    backends: Record<string, { transport: string }>;
  };
  for (const [name, { transport }] of Object.entries(health.backends))
    assert.equal(transport, name.startsWith("ws") ? "websocket" : "unix");
});

test("a client of 2026-07-28 needs no session on a WebSocket, is listened to and can cancel", async () => {
  const client = await openRaw(gateway.port);
  const meta = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
  };
  const ask = (id: number, method: string, params: object = {}) =>
    client.send({ jsonrpc: "2.0", id, method, params: { ...params, _meta: meta } });
  const answer = async (id: number) => {
    await until(() => client.messages.some((message) => message.id === id));
    return JSON.stringify(client.messages.find((message) => message.id === id));
  };
  ask(1, "server/discover");
  assert.match(await answer(1), /"supportedVersions":\["2026-07-28"/);
  ask(2, "tools/call", { name: "gateway_invoke", arguments: { server: "lines", tool: "echo" } });
  assert.match(await answer(2), /"text":"lines"/);
  const server = servers["lines"] as SocketServer;
  server.events.length = 0;
  ask(3, "tools/call", { name: "gateway_invoke", arguments: { server: "lines", tool: "hang" } });
  await until(() => server.events.includes("hanging"));
  client.send({ jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: 3, _meta: meta } });
  await until(() => server.events.includes("aborted"));
  ask(4, "tools/call", { name: "gateway_invoke", arguments: { server: "lines", tool: "hang" } });
  await until(() => server.events.filter((event) => event === "hanging").length === 2);
  client.socket.resetAndDestroy();
  await until(() => server.events.filter((event) => event === "aborted").length === 2);
});

test("F1: a backend whose connection was cut is connected to again by the next call", async () => {
  const { client, call } = await connect("WebSocket", "");
  for (const name of ["ws", "lines"]) {
    const server = servers[name] as SocketServer;
    const { connections } = server;
    server.events.length = 0;
    const hanging = call("gateway_invoke", { server: name, tool: "hang" });
    await until(() => server.events.includes("hanging"));
    server.cut();
    assert.match(await hanging, new RegExp(`"${name}" closed the connection`));
    assert.equal(await call("gateway_invoke", { server: name, tool: "echo" }), name);
    assert.equal(server.connections, connections + 1);
    assert.equal(server.events.filter((event) => event === "hanging").length, 1, "it is not run twice");
  }
  await client.close();
});

test("a port for WebSockets is for nothing else, and guarded like the other", async () => {
  const plain = await fetch(`http://127.0.0.1:${socketPort}/mcp`, { method: "POST" });
  assert.equal(plain.status, 426);
  assert.equal((await openRaw(socketPort, { headers: { Origin: "http://evil.test" } })).status, 403);
});

test("T13: what a server repeats of its credentials when it refuses a handshake is told to nobody", async () => {
  const canary = "canary-0123456789abcdef";
  const echoing = await rawWebSocketServer({ onHandshake: (head) => status(401, head) });
  const url = echoing.url.replace("ws://", `ws://user:pass-${canary}@`);
  const headers = { "X-Api-Key": `key-${canary}` };
  const own = await startGateway({
    capabilities: { enabled: false },
    backends: { shy: { http_url: url, headers } },
  });
  try {
    const client = new Client({ name: "test", version: "1" });
    await client.connect(new WebSocketClientTransport(new URL(`ws://127.0.0.1:${own.port}/mcp`)));
    const result = await client.callTool({ name: "gateway_invoke", arguments: { server: "shy", tool: "any" } });
    const told = JSON.stringify(result) + own.stderr() + (await (await fetch(`${own.url}/health`)).text());
    assert.match(told, /HTTP 401/);
    assert.ok(echoing.handshakes[0]?.includes(`key-${canary}`));
    assert.ok(!told.includes(canary) && !told.includes(btoa(`user:pass-${canary}`)), told);
    await client.close();
  } finally {
    await own.stop();
    await echoing.stop();
  }
});
