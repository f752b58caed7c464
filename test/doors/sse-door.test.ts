import assert from "node:assert/strict";
import { test } from "node:test";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { SSEClientTransport } from "@modelcontextprotocol/sdk/client/sse.js";
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js";
import { openHttpDoor } from "../../src/doors/http/listen.ts";
import type { JsonObject } from "../../src/lib/json.ts";
import { SseReader } from "../../src/mcp/sse.ts";
import { FakeClock, settle } from "../fixtures/fake-clock.ts";
import { until } from "../fixtures/processes.ts";
import { fakeGateway } from "./fake-gateway.ts";
import { callTool, errorOf, initializeMessage, request, type TestApp, testApp } from "./http-client.ts";

interface Stream {
  /** Address of the first event. */
  readonly endpoint: string;
  readonly messages: JsonObject[];
  readonly ended: Promise<void>;
  /** The client goes away. */
  leave(): Promise<void>;
}

/** Opens a stream and reads it for as long as it lasts. */
async function listen({ ask }: TestApp, path = "/sse", headers: Record<string, string> = {}): Promise<Stream> {
  const response = await ask(path, { headers: { accept: "text/event-stream", ...headers } });
  assert.equal(response.status, 200, path);
  assert.equal(response.headers.get("content-type"), "text/event-stream");
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  const messages: JsonObject[] = [];
  let endpoint = "";
  const events = new SseReader(1_000_000, ({ event, data }) => {
    if (event === "endpoint") endpoint = data;
    else messages.push(JSON.parse(data) as JsonObject);
  });
  const ended = (async () => {
    for (let part = await reader.read(); !part.done; part = await reader.read()) events.push(part.value);
  })();
  await until(() => endpoint !== "");
  return { endpoint, messages, ended, leave: () => reader.cancel() };
}

const text = { accept: "*/*" };

test("HTTP+SSE: the official client lists, calls, gets notifications, and its session ends with it", async () => {
  const gateway = fakeGateway();
  const door = await openHttpDoor(gateway);
  try {
    for (const path of ["/sse", "/sse/one"]) {
      const client = new Client({ name: "test", version: "1" });
      const heard: string[] = [];
      client.fallbackNotificationHandler = async ({ method }) => void heard.push(method);
      await client.connect(new SSEClientTransport(new URL(door.url + path)) as Transport);
      assert.equal((await client.listTools()).tools.length, 5);
      const calls = Array.from({ length: 20 }, (_, n) => client.callTool({ name: "echo", arguments: { n } }));
      for (const [n, { content }] of (await Promise.all(calls)).entries())
        assert.deepEqual(content, [{ type: "text", text: `{"n":${n}}` }]);
      const [session] = [...gateway.sessions.all()];
      assert.equal(session?.backend, path === "/sse" ? undefined : "one");
      session?.push('{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}');
      await until(() => heard.includes("notifications/tools/list_changed"));
      await client.close();
      await until(() => gateway.sessions.size === 0);
    }
  } finally {
    gateway.sessions.closeAll();
    await door.close(0);
  }
});

test("HTTP+SSE: the first event names an address nobody can guess, below the path the gateway is published at", async () => {
  const app = testApp(fakeGateway());
  const [first, second] = [await listen(app), await listen(app, "/sse", text)];
  for (const { endpoint } of [first, second]) assert.match(endpoint, /^\/messages\?sessionId=[\w-]{43}$/);
  assert.notEqual(first.endpoint, second.endpoint);
  const below = testApp(fakeGateway({ server: { public_url: "https://example.com/gateway/" } }));
  assert.match((await listen(below)).endpoint, /^\/gateway\/messages\?sessionId=/);
});

test("HTTP+SSE: messages are taken with 202 and answered on the stream; what is none is refused on the spot", async () => {
  const gateway = fakeGateway({ server: { max_body_size: 1_000 } });
  const app = testApp(gateway);
  const { endpoint, messages } = await listen(app);
  const post = (message: unknown, headers = {}) => app.post(endpoint, message, headers);
  const early = await post(request(0, "tools/list"));
  assert.deepEqual([early.status, await early.text()], [202, ""]);
  await until(() => messages.length === 1);
  assert.match(JSON.stringify(messages[0]), /"id":0,"error":\{"code":-32600/);
  assert.equal((await post(initializeMessage("2024-11-05"))).status, 202);
  assert.equal((await post([request(1, "ping"), callTool(2, "echo")])).status, 202);
  await until(() => messages.length === 3);
  assert.deepEqual((messages[2] as unknown as JsonObject[]).map(({ id }) => id).sort(), [1, 2]);
  await post(callTool(3, "noisy"));
  await until(() => messages.length === 6);
  const progress = { method: "notifications/progress", id: undefined };
  assert.deepEqual(
    messages.slice(3).map(({ method, id }) => ({ method, id })),
    [progress, progress, { method: undefined, id: 3 }],
  );
  for (const [body, headers, status, code] of [
    ["{", {}, 400, -32_700],
    [{ jsonrpc: "2.0", id: 5 }, {}, 400, -32_600],
    [request(6, "ping"), { "content-type": "text/plain" }, 415, -32_600],
    [callTool(7, "echo", { text: "x".repeat(1_000) }), {}, 413, -32_600],
  ] as const) {
    const refused = await post(body, headers);
    assert.equal(refused.status, status);
    assert.equal((await errorOf(refused)).code, code);
  }
  assert.equal(messages.length, 6);
  await gateway.close();
});

test("T7 HTTP+SSE: a stream takes messages of the principal that opened it, and of nobody else", async () => {
  const keys = ["key-of-anna", "key-of-bert"].map((key) => ({ key, name: key }));
  const gateway = fakeGateway({ auth: { enabled: true, api_keys: keys } });
  const app = testApp(gateway);
  const [anna, bert] = keys.map(({ key }) => ({ authorization: `Bearer ${key}` }));
  assert.equal((await app.ask("/sse", { headers: { accept: "text/event-stream" } })).status, 401);
  const stream = await listen(app, "/sse", anna);
  assert.equal((await app.post(stream.endpoint, initializeMessage())).status, 401);
  const foreign = await app.post(stream.endpoint, initializeMessage(), bert);
  assert.deepEqual([foreign.status, (await errorOf(foreign)).code], [404, -32_001]);
  for (const path of ["/messages?sessionId=unknown", "/messages?sessionId="])
    assert.ok([400, 404].includes((await app.post(path, initializeMessage(), anna)).status), path);
  assert.equal((await app.post("/messages", initializeMessage(), anna)).status, 400);
  assert.deepEqual(gateway.seen, []);
  assert.equal((await app.post(stream.endpoint, initializeMessage(), anna)).status, 202);
  await until(() => stream.messages.length === 1);

  const other = await listen(app, "/sse", bert);
  const [session] = [...gateway.sessions.all()];
  gateway.sessions.close(session?.id as string, session?.principal as string);
  await stream.ended;
  assert.equal((await app.post(stream.endpoint, request(2, "ping"), anna)).status, 404);

  // Who is at work is not locked out by a guesser behind the same address.
  for (let n = 0; n < 12; n++) await app.ask("/mcp", { headers: { authorization: `Bearer guess-${n}` } });
  assert.equal((await app.ask("/sse", { headers: { accept: "text/event-stream", ...anna } })).status, 429);
  assert.equal((await app.post(other.endpoint, request(1, "ping"), bert)).status, 202);
});

test("HTTP+SSE: when the client goes, what it asked for is cancelled and its address is gone", async () => {
  const gateway = fakeGateway();
  const app = testApp(gateway);
  const stream = await listen(app);
  await app.post(stream.endpoint, initializeMessage());
  await app.post(stream.endpoint, callTool(1, "wait"));
  await until(() => gateway.seen.length === 2);
  await stream.leave();
  assert.equal(gateway.sessions.size, 0);
  assert.equal((await app.post(stream.endpoint, request(2, "ping"))).status, 404);

  const early = await listen(app);
  const opening = app.post(early.endpoint, initializeMessage());
  await early.leave();
  await opening;
  await settle();
  assert.equal(gateway.sessions.size, 0, "a session nobody can use");
});

test("HTTP+SSE: a quiet stream gets comments, a draining gateway opens none, and those that are open end", async () => {
  const gateway = fakeGateway();
  const clock = new FakeClock();
  const app = testApp(gateway, "127.0.0.1", clock);
  const response = await app.ask("/sse", { headers: { accept: "text/event-stream" } });
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  const next = async () => new TextDecoder().decode((await reader.read()).value);
  assert.match(await next(), /^event: endpoint\n/);
  const comment = next();
  await clock.advance(31_000);
  assert.equal(await comment, ": keep-alive\n\n");
  gateway.draining = true;
  assert.equal((await app.ask("/sse", { headers: { accept: "text/event-stream" } })).status, 503);
  app.app.endStreams();
  assert.equal((await reader.read()).done, true);
  const off = testApp(fakeGateway({ streaming: { enabled: false } }));
  assert.equal((await off.ask("/sse", { headers: { accept: "text/event-stream" } })).status, 405);
  assert.equal((await app.ask("/sse", { headers: { accept: "application/json" } })).status, 406);
});
