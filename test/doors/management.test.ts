import assert from "node:assert/strict";
import { test } from "node:test";
import type { ServerView } from "../../src/meta/meta-tool.ts";
import { FakeClock } from "../fixtures/fake-clock.ts";
import { fakeGateway } from "./fake-gateway.ts";
import { errorOf, testApp } from "./http-client.ts";

const auth = {
  enabled: true,
  bearer_token: "bearer-token",
  api_keys: [
    { key: "plain-key", name: "plain", backends: ["a"] },
    { key: "admin-key", name: "boss", admin: true },
  ],
};
const json = { "content-type": "application/json" };
const as = (token: string) => ({ authorization: `Bearer ${token}` });

const adminRoutes = [
  ["GET", "/ui/api/config"],
  ["GET", "/ui/api/tools"],
  ["GET", "/ui/api/calls"],
  ["GET", "/ui/api/calls/stream"],
  ["GET", "/ui/api/stats"],
  ["GET", "/ui/api/backends/a"],
  ["GET", "/api/v1/connections"],
  ["POST", "/ui/api/tools/call"],
  ["POST", "/ui/api/reload"],
  ["POST", "/ui/api/backends"],
  ["POST", "/ui/api/import/openapi"],
  ["POST", "/ui/api/import/openapi/preview"],
  ["POST", "/ui/api/backends/a/revive"],
  ["POST", "/ui/api/backends/a/stop"],
  ["PATCH", "/ui/api/backends/a"],
  ["DELETE", "/ui/api/backends/a"],
  ["DELETE", "/api/v1/connections/x"],
] as const;

test("management: without a token nothing, although the page around it is open", async () => {
  const { ask } = testApp(fakeGateway({ auth }));
  assert.equal((await ask("/ui/")).status, 200);
  for (const path of ["/ui/api/status", "/ui/api", "/ui/api/nothing", "/api/v1/status", "/metrics", "/dashboard"])
    assert.equal((await ask(path)).status, 401, path);
  for (const [method, path] of adminRoutes)
    assert.equal(
      (await ask(path, { method, headers: json, body: method === "GET" ? undefined : {} })).status,
      401,
      path,
    );
});

test("management: a path that is opened shows numbers only", async () => {
  const { ask } = testApp(fakeGateway({ auth: { ...auth, public_paths: ["/ui/api", "/metrics"] } }));
  assert.equal((await ask("/ui/api/config")).status, 401);
  assert.equal((await ask("/ui/api/status")).status, 401, "the management API always asks who it is");
  assert.equal((await ask("/metrics")).status, 200);
});

test("management: who is no admin learns totals and may change nothing", async () => {
  const gateway = fakeGateway({ auth });
  const { ask } = testApp(gateway);
  for (const [method, path] of adminRoutes) {
    const body = method === "GET" ? undefined : {};
    const response = await ask(path, { method, headers: { ...json, ...as("plain-key") }, body });
    assert.equal(response.status, 403, path);
    assert.match((await errorOf(response)).message, /admin/);
  }
  const status = (await (await ask("/ui/api/status", { headers: as("plain-key") })).json()) as object;
  assert.deepEqual(Object.keys(status).sort(), [
    "admin",
    "degraded_count",
    "healthy_count",
    "role",
    "server_count",
    "uptime_secs",
    "version",
  ]);
  const admin = (await (await ask("/ui/api/status", { headers: as("admin-key") })).json()) as { servers: unknown[] };
  assert.deepEqual(admin.servers, []);
});

test("/metrics: a key is told of its own servers only", async () => {
  const gateway = fakeGateway({ auth });
  const status = { state: { is: "dormant" }, inFlight: 0, restartCount: 0, healthy: true } as ServerView["status"];
  const view = { description: "", kind: "stdio", enabled: true, circuit: "closed", status } as const;
  gateway.serverViews = ["a", "b"].map((name) => ({ ...view, name }));
  const { ask } = testApp(gateway);
  const backends = async (token: string) => {
    const text = await (await ask("/metrics", { headers: as(token) })).text();
    return [...text.matchAll(/^mcp_backend_up\{backend="(.+)"\}/gm)].map(([, name]) => name);
  };
  assert.deepEqual(await backends("plain-key"), ["a"]);
  assert.deepEqual(await backends("bearer-token"), ["a", "b"]);
});

test("management: a page of another site is refused, whatever it may do with MCP (T6)", async () => {
  const { ask } = testApp(fakeGateway({ server: { allowed_origins: ["http://app.example"] } }));
  const call = (headers: Record<string, string>) =>
    ask("/ui/api/tools/call", { method: "POST", headers: { ...json, ...headers }, body: { server: "a", tool: "b" } });
  assert.equal((await call({ origin: "http://evil.example" })).status, 403);
  assert.equal((await call({ origin: "http://app.example" })).status, 403);
  assert.equal((await call({ "sec-fetch-site": "cross-site" })).status, 403);
  assert.equal((await ask("/ui/api/status", { headers: { "sec-fetch-site": "same-site" } })).status, 403);
  assert.equal((await ask("/ui/api/status", { headers: { "sec-fetch-site": "same-origin" } })).status, 200);
});

test("management: a form cannot be sent to it, and what is wrong with a request is said", async () => {
  const gateway = fakeGateway();
  const { ask } = testApp(gateway);
  const post = (path: string, body: unknown, headers: Record<string, string> = json) =>
    ask(path, { method: "POST", body, headers });
  for (const type of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
    assert.equal((await post("/ui/api/reload", "{}", { "content-type": type })).status, 415, type);
  assert.equal((await post("/ui/api/tools/call", "{")).status, 400);
  assert.equal((await post("/ui/api/tools/call", [])).status, 400);
  assert.match((await errorOf(await post("/ui/api/tools/call", { server: "a" }))).message, /"server" and "tool"/);
  assert.equal((await post("/ui/api/reload", {})).status, 503, "there is no file");
  const missing = await ask("/ui/api/nothing");
  assert.equal(missing.status, 404);
  const wrong = await ask("/ui/api/status", { method: "DELETE" });
  assert.deepEqual([wrong.status, wrong.headers.get("allow")], [405, "GET"]);
  assert.equal((await ask("/ui/api/status", { method: "HEAD" })).status, 200);
  assert.equal((await ask("/ui/api/backends/none")).status, 404);
  assert.equal((await ask("/ui/api/stats?price=-1")).status, 400);
});

test("management: backends are added where a token is asked for, and nowhere else (T12)", async () => {
  const body = { name: "x", command: "touch /tmp/owned" };
  const open = testApp(fakeGateway());
  const refused = await open.ask("/ui/api/backends", { method: "POST", headers: json, body });
  assert.equal(refused.status, 403);
  assert.match((await errorOf(refused)).message, /auth\.enabled/);
});

test("management: connections are shown without their session ids, and can be ended", async () => {
  const gateway = fakeGateway();
  const { ask, initialize, post } = testApp(gateway);
  const sessionId = await initialize();
  const { connections } = (await (await ask("/api/v1/connections")).json()) as {
    connections: { id: string; principal: string }[];
  };
  assert.equal(connections.length, 1);
  assert.equal(connections[0]?.principal, "anonymous");
  assert.ok(!JSON.stringify(connections).includes(sessionId));
  const path = `/api/v1/connections/${connections[0]?.id}`;
  assert.equal((await ask(path, { method: "DELETE" })).status, 200);
  assert.equal((await ask(path)).status, 404);
  const after = await post("/mcp", { jsonrpc: "2.0", id: 1, method: "ping" }, { "mcp-session-id": sessionId });
  assert.equal(after.status, 404);
});

test("management: the stream of calls ends when the keys change and when the door closes", async () => {
  const gateway = fakeGateway();
  const clock = new FakeClock();
  const { ask, app } = testApp(gateway, "127.0.0.1", clock);
  const open = async () => {
    const response = await ask("/ui/api/calls/stream");
    assert.equal(response.headers.get("content-type"), "text/event-stream");
    const reader = response.body!.getReader();
    const first = new TextDecoder().decode((await reader.read()).value);
    assert.deepEqual(JSON.parse(first.split("data: ")[1] as string), {
      count: 0,
      in_flight: 0,
      running: [],
      calls: [],
    });
    return reader;
  };
  const byKeys = await open();
  gateway.config = { ...gateway.config, auth: { ...gateway.config.auth } };
  await clock.advance(500);
  assert.equal((await byKeys.read()).done, true);
  const byDoor = await open();
  app.endStreams();
  assert.equal((await byDoor.read()).done, true);
});
