import assert from "node:assert/strict";
import { test } from "node:test";
import type { UpstreamStatus } from "../../src/core/upstream.ts";
import type { ServerView } from "../../src/meta/meta-tool.ts";
import { fakeGateway } from "./fake-gateway.ts";
import { errorOf, testApp } from "./http-client.ts";

function server(name: string, status: Partial<UpstreamStatus> = {}, view: Partial<ServerView> = {}): ServerView {
  return {
    name,
    description: "",
    kind: "stdio",
    enabled: true,
    circuit: "closed",
    status: {
      state: { is: "ready" },
      restartCount: 0,
      requestCount: 5,
      inFlight: 0,
      consecutiveFailures: 0,
      healthy: true,
      pid: 42,
      lastError: undefined,
      ...status,
    },
    ...view,
  };
}

interface Health {
  status: string;
  version: string;
  backends: Record<string, Record<string, unknown>>;
  capability_backend: unknown;
  config_error?: string;
  degraded?: string[];
}

test("/health: a key learns of its backends, an admin also what is wrong, the public only counts", async () => {
  const gateway = fakeGateway({
    auth: {
      enabled: true,
      api_keys: [
        { key: "k", backends: ["a"] },
        { key: "root", admin: true },
      ],
    },
  });
  gateway.serverViews = [server("a", { restartCount: 2 }), server("b"), server("fulcrum", {}, { kind: "capability" })];
  gateway.configError = "gateway.yaml:1:1  broken";
  const { ask } = testApp(gateway);
  const open = (await (await ask("/health")).json()) as Health;
  assert.deepEqual(open, {
    status: "healthy",
    version: open.version,
    backends: { count: 2, all_healthy: true },
    capability_backend: null,
  });
  const named = (await (await ask("/health", { headers: { "x-api-key": "k" } })).json()) as Health;
  assert.deepEqual(Object.keys(named.backends), ["a"], "only what the key may use");
  assert.equal(named.backends["a"]?.["restart_count"], 2);
  assert.equal(named.backends["a"]?.["tools_cached"], 2);
  assert.equal(named.config_error, undefined, "it quotes what the key may not see");
  const admin = (await (await ask("/health", { headers: { "x-api-key": "root" } })).json()) as Health;
  assert.deepEqual(Object.keys(admin.backends), ["a", "b"]);
  assert.equal(admin.config_error, "gateway.yaml:1:1  broken");
});

test("/health: servers that sleep or were never needed degrade nothing", async () => {
  const gateway = fakeGateway();
  gateway.serverViews = [
    server("dormant", { state: { is: "dormant" }, healthy: false }),
    server("new", { state: { is: "dormant" }, requestCount: 0 }),
    server("starting", { state: { is: "starting" }, healthy: false }),
    server("off", { state: { is: "backoff", error: "x", retryAtMs: 0 } }, { enabled: false }),
    server("probing", {}, { circuit: "half_open" }),
  ];
  gateway.configError = "broken";
  const response = await testApp(gateway).ask("/health");
  assert.equal(response.status, 200);
  const body = (await response.json()) as Health;
  assert.deepEqual(
    Object.values(body.backends).map(({ lifecycle }) => lifecycle),
    ["dormant", "not_started", "running", "dormant", "running"],
  );
});

test("/health: an open circuit, a failed start and a sick server show as 503", async () => {
  for (const sick of [
    server("a", {}, { circuit: "open" }),
    server("a", { state: { is: "backoff", error: "exit 1", retryAtMs: 0 } }),
    server("a", { healthy: false }),
  ]) {
    const gateway = fakeGateway();
    gateway.serverViews = [sick];
    const response = await testApp(gateway).ask("/health");
    assert.equal(response.status, 503);
    assert.equal(((await response.json()) as Health).status, "degraded");
  }
});

test("/health tells of a full disk without failing the check, which would only restart the gateway", async () => {
  const gateway = fakeGateway();
  gateway.degraded = ["state directory is not writable"];
  const response = await testApp(gateway).ask("/health");
  assert.equal(response.status, 200);
  const body = (await response.json()) as Health;
  assert.equal(body.status, "degraded");
  assert.deepEqual(body.degraded, gateway.degraded);
});

test("/readiness turns when the gateway drains, /liveness does not", async () => {
  const gateway = fakeGateway();
  const { ask } = testApp(gateway);
  assert.equal((await ask("/readiness")).status, 200);
  gateway.draining = true;
  assert.equal((await ask("/readiness")).status, 503);
  assert.equal((await ask("/liveness")).status, 200);
});

test("routes: unknown ones name those there are, wrong methods say which are right", async () => {
  const { ask } = testApp(fakeGateway());
  for (const path of ["/mcpx", "/Mcp", "/mcp2/x", "//mcp", "/ui2", "/%6dcp"]) {
    const missing = await ask(path);
    assert.equal(missing.status, 404, path);
    assert.match(String((await errorOf(missing)).data["hint"]), /\/mcp, /);
  }
  const wrong = await ask("/health", { method: "POST" });
  assert.deepEqual([wrong.status, wrong.headers.get("allow")], [405, "GET, HEAD"]);
  assert.equal((await ask("/health?verbose=1", { method: "HEAD" })).status, 200);
  for (const [path, method, allowed] of [
    ["/sse", "POST", "GET"],
    ["/messages", "GET", "POST"],
  ] as const) {
    const other = await ask(path, { method });
    assert.deepEqual([other.status, other.headers.get("allow")], [405, allowed]);
  }
});

test("ui: the page and its files are served, locked down, and nothing beside them", async () => {
  const { ask } = testApp(fakeGateway());
  for (const path of ["/", "/ui"]) assert.equal((await ask(path)).headers.get("location"), "/ui/");
  const page = await ask("/ui/");
  assert.equal(page.headers.get("content-type"), "text/html; charset=utf-8");
  assert.match(page.headers.get("content-security-policy") ?? "", /default-src 'none'; script-src 'self'/);
  const html = await page.text();
  for (const [, name = ""] of html.matchAll(/(?:href|src)="([a-z.]+)"/g))
    assert.equal((await ask(`/ui/${name}`)).status, 200, name);
  for (const path of ["/ui/../package.json", "/ui/%2e%2e/package.json", "/ui/none.html", "/ui/constructor"])
    assert.equal((await ask(path)).status, 404, path);
});

test("every answer carries a request id and the headers that protect browsers", async () => {
  const { ask, post } = testApp(fakeGateway());
  const answers = [
    await ask("/health"),
    await ask("/ui/"),
    await ask("/"),
    await ask("/nothing"),
    await ask("/mcp", { method: "PUT" }),
    await ask("/mcp", { headers: { host: "evil.test" } }),
    await post("/mcp", "{"),
  ];
  for (const { headers, url, status } of answers) {
    assert.match(headers.get("x-request-id") ?? "", /^[\w-]+$/, `${status} ${url}`);
    assert.equal(headers.get("x-content-type-options"), "nosniff");
    assert.equal(headers.get("cache-control"), "no-store");
    assert.match(headers.get("content-security-policy") ?? "", /default-src 'none'.*frame-ancestors 'none'/);
  }
});
