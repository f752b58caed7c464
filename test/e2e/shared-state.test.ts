/** Two compiled gateways with one file and one Redis act as one, and go on when either of them or the Redis is gone. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, describe, test } from "node:test";
import { createAuthority, hasOpenssl } from "../fixtures/certificates.ts";
import { until } from "../fixtures/processes.ts";
import { type RedisServer, skipWithoutRedis, startRedis } from "../fixtures/redis-server.ts";
import { scriptArgv } from "../fixtures/script-argv.ts";
import { binaryPath, environmentIn, type GatewayProcess, root, startGateway } from "./harness.ts";

const password = "s3cret-of-redis";

interface Reply {
  readonly status: number;
  readonly body: { result?: Record<string, unknown>; error?: { message: string; data?: { code?: string } } };
  readonly session: string | null;
}

let redis: RedisServer;
let folder = "";
const gateways: GatewayProcess[] = [];

async function start(config: object, more: object = {}): Promise<GatewayProcess> {
  const shared_state = { redis_url: "env:REDIS_URL", prefix: `${Math.random()}:`, ...more };
  const whole = { capabilities: { enabled: false }, shared_state, ...config };
  const gateway = await startGateway(whole, { env: { REDIS_URL: redis.url } });
  gateways.push(gateway);
  return gateway;
}

/** With the same prefix. On a busy machine an answer may take longer than a call waits for it by default. */
async function startTwo(config: object, timeout = "3s"): Promise<[GatewayProcess, GatewayProcess]> {
  const more = { prefix: `two-${Math.random()}:`, timeout };
  return [await start(config, more), await start(config, more)];
}

const backend = (...flags: string[]) => ({
  command: ["node", join(root, "test", "fixtures", "stdio-backend.mjs"), ...flags],
});

function request({ url }: GatewayProcess, session: string | null, body: unknown, token?: string): Promise<Response> {
  return fetch(`${url}/mcp`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      ...(session !== null && { "mcp-session-id": session }),
      ...(token && { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify(body),
  });
}

async function rpc(gateway: GatewayProcess, session: string | null, method: string, params: object, token?: string) {
  const response = await request(gateway, session, { jsonrpc: "2.0", id: 1, method, params }, token);
  const text = await response.text();
  const body = JSON.parse(text.startsWith("{") ? text : (/^data: (.*)$/m.exec(text)?.[1] ?? "{}"));
  return { status: response.status, body, session: response.headers.get("mcp-session-id") } as Reply;
}

async function open(gateway: GatewayProcess, capabilities: object = {}, token?: string): Promise<string> {
  const params = { protocolVersion: "2025-06-18", capabilities, clientInfo: { name: "e2e", version: "1" } };
  const { session } = await rpc(gateway, null, "initialize", params, token);
  return session as string;
}

async function call(gateway: GatewayProcess, session: string, tool: string, args: object, more: object = {}) {
  const params = { name: "gateway_invoke", arguments: { server: "box", tool, arguments: args, ...more } };
  const { body } = await rpc(gateway, session, "tools/call", params);
  return JSON.stringify(body.result ?? body.error);
}

const health = async ({ url }: GatewayProcess) =>
  (await (await fetch(`${url}/health`)).json()) as { status: string; degraded: string[] };
const runs = (file: string) => readFileSync(file, "utf8").split("\n").length - 1;
function freshFile(): string {
  const file = join(folder, `ran-${Math.random()}`);
  writeFileSync(file, "");
  return file;
}

describe("shared_state", { skip: skipWithoutRedis }, () => {
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "shared-state-"));
    redis = await startRedis(["--requirepass", password], `:${password}@`);
  });
  after(async () => {
    await redis?.kill();
    rmSync(folder, { recursive: true, force: true });
  });
  afterEach(async () => {
    await Promise.all(gateways.splice(0).map((gateway) => gateway.stop()));
  });

  test("a session of one gateway is a session of the other, and outlives the first", async () => {
    const [a, b] = await startTwo({ backends: { box: backend() } });
    const session = await open(a);
    assert.equal((await rpc(b, session, "tools/list", {})).status, 200, "at once");
    assert.match(await call(b, session, "echo", { text: "at b" }), /at b/);
    assert.match(await call(a, session, "echo", { text: "at a" }), /at a/);
    const wrong = await rpc(b, "x".repeat(43), "tools/list", {});
    assert.equal(wrong.status, 404);
    await a.stop("SIGKILL");
    assert.match(await call(b, session, "echo", { text: "still there" }), /still there/);
    const third = await start(
      { backends: { box: backend() } },
      { prefix: JSON.parse(readFileSync(b.configPath, "utf8")).shared_state.prefix },
    );
    assert.match(await call(third, session, "echo", { text: "at a third" }), /at a third/);
    const headers = { "mcp-session-id": session };
    assert.equal((await fetch(`${third.url}/mcp`, { method: "DELETE", headers })).status, 204);
    await until(async () => (await rpc(b, session, "ping", {})).status === 404, 30_000);
    const fourth = await rpc(third, session, "ping", {});
    assert.equal(fourth.status, 404);
  });

  test("a session belongs to its caller at every gateway", async () => {
    const keys = [
      { key: "key-of-ann-0001", name: "ann" },
      { key: "key-of-bob-0002", name: "bob" },
    ];
    const [a, b] = await startTwo({ auth: { enabled: true, api_keys: keys } });
    const session = await open(a, {}, keys[0]?.key);
    assert.equal((await rpc(b, session, "ping", {}, keys[1]?.key)).status, 404);
    assert.equal((await rpc(b, session, "ping", {}, keys[0]?.key)).status, 200);
  });

  test("what a server asks at one gateway can be answered and cancelled at the other", async () => {
    const asking = { command: [...scriptArgv("conformance-server.ts"), "--stdio"], cwd: root };
    const [a, b] = await startTwo({ backends: { box: asking } });
    const session = await open(a, { sampling: {} });
    assert.equal((await rpc(b, session, "ping", {})).status, 200);
    const ask = async (id: number) => {
      const params = {
        name: "gateway_invoke",
        arguments: { server: "box", tool: "test_sampling", arguments: { prompt: "?" } },
      };
      const response = await request(a, session, { jsonrpc: "2.0", id, method: "tools/call", params });
      const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
      let text = "";
      const read = async (wanted: RegExp) => {
        while (!wanted.test(text)) {
          const { done, value } = await reader.read();
          if (done) break;
          text += value;
        }
        return wanted.exec(text);
      };
      return { read, question: (await read(/"id":("gateway-[^"]+")/))?.[1] as string };
    };
    const first = await ask(7);
    const result = { model: "m", role: "assistant", content: { type: "text", text: "said at b" } };
    const answer = { jsonrpc: "2.0", id: JSON.parse(first.question), result };
    assert.equal((await request(b, session, answer)).status, 202);
    assert.ok(await first.read(/said at b/));
    const second = await ask(8);
    const cancel = { jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: 8, reason: "enough" } };
    assert.equal((await request(b, session, cancel)).status, 202);
    assert.ok(await second.read(/notifications\/cancelled/), "the question is taken back");
  });

  test("what changed at one gateway is told by the stream at the other", async () => {
    const [a, b] = await startTwo({ backends: { box: backend("--resources") } });
    const session = await open(a);
    assert.equal((await rpc(b, session, "ping", {})).status, 200);
    const subscribed = await rpc(a, session, "resources/subscribe", { uri: "test://own" });
    assert.equal(subscribed.status, 200, JSON.stringify(subscribed.body));
    const headers = { "mcp-session-id": session, accept: "text/event-stream" };
    const stream = await fetch(`${b.url}/mcp`, { headers });
    const reader = stream.body!.pipeThrough(new TextDecoderStream()).getReader();
    await call(a, session, "update", { uri: "test://own" });
    let text = "";
    while (!text.includes("notifications/resources/updated")) text += (await reader.read()).value;
    await reader.cancel();
  });

  test("of twenty calls with one idempotency key, ten at each gateway, one is made", async () => {
    const [a, b] = await startTwo({ backends: { box: backend() } });
    const sessions = [await open(a), await open(b)] as const;
    await Promise.all([call(a, sessions[0], "pid", {}), call(b, sessions[1], "pid", {})]);
    const file = freshFile();
    const once = (at: number) =>
      call(at % 2 ? b : a, sessions[at % 2] as string, "work", { file, ms: 50 }, { idempotency_key: "race" });
    const answers = await Promise.all(Array.from({ length: 20 }, (_, at) => once(at)));
    assert.equal(runs(file), 1);
    assert.equal(answers.filter((text) => !text.includes("IDEMPOTENCY_CONFLICT")).length, 1);
    const [one, other] = [await once(0), await once(1)];
    assert.equal(one, other);
    assert.match(one, /"repeated":true/);
    assert.equal(runs(file), 1);

    call(a, sessions[0], "work", { file }, { idempotency_key: "hangs" }).catch(() => {});
    await until(() => runs(file) === 2);
    await a.stop("SIGKILL");
    assert.match(await call(b, sessions[1], "work", { file }, { idempotency_key: "hangs" }), /IDEMPOTENCY_CONFLICT/);
    assert.equal(runs(file), 2);
  });

  test("what only reads is read once for both, until one of them writes", async () => {
    const [a, b] = await startTwo({ cache: {}, backends: { box: backend("--reads=work") } });
    const sessions = [await open(a), await open(b)] as const;
    for (const [at, gateway] of [a, b].entries())
      await rpc(gateway, sessions[at] as string, "tools/call", {
        name: "gateway_list_tools",
        arguments: { server: "box" },
      });
    const file = freshFile();
    const read = (at: 0 | 1) => call(at ? b : a, sessions[at], "work", { file, ms: 0 });
    await read(0);
    let seen = "";
    while (!seen.includes("mcp-gateway/cache")) seen = await read(1);
    assert.ok(runs(file) <= 2);
    const before = runs(file);
    await call(a, sessions[0], "echo", { text: "may write" });
    assert.doesNotMatch(await read(1), /mcp-gateway\/cache/);
    assert.equal(runs(file), before + 1);
  });

  test("budgets and limits are those of both together", async () => {
    const [a, b] = await startTwo({
      auth: {
        enabled: true,
        bearer_token: "operator-token-1",
        api_keys: [{ key: "limited-key-1", name: "few", rate_limit: 6 }],
      },
      cost_governance: { enabled: true, default_cost: 0.1, budgets: { daily: 1 } },
      failsafe: { rate_limit: { requests_per_second: 0.01, burst_size: 15 } },
      backends: { box: backend(), bare: { ...backend(), failsafe: { rate_limit: { burst_size: 4 } } } },
    });
    const sessions = [await open(a, {}, "operator-token-1"), await open(b, {}, "operator-token-1")];
    const invoke = async (at: number, server: string, tool: string) => {
      const params = { name: "gateway_invoke", arguments: { server, tool, arguments: { text: "x" } } };
      const { body } = await rpc(at % 2 ? b : a, sessions[at % 2] as string, "tools/call", params, "operator-token-1");
      return JSON.stringify(body);
    };
    const many = (count: number, server: string) =>
      Promise.all(Array.from({ length: count }, (_, at) => invoke(at, server, "echo")));
    const limited = await many(8, "bare");
    assert.equal(limited.filter((text) => /RATE_LIMITED/.test(text)).length, 4, limited.join("\n"));
    // Four calls are paid for; what was refused is not.
    const paid = await many(14, "box");
    assert.equal(paid.filter((text) => /BUDGET_EXCEEDED/.test(text)).length, 8, paid.join("\n"));
    const headers = { authorization: "Bearer operator-token-1" };
    for (const { url } of [a, b]) {
      const report = (await (await fetch(`${url}/ui/api/costs`, { headers })).json()) as { total_cost: number };
      assert.equal(report.total_cost, 1);
    }
    const statuses = await Promise.all(
      Array.from(
        { length: 10 },
        async (_, at) => (await rpc(at % 2 ? a : b, null, "ping", {}, "limited-key-1")).status,
      ),
    );
    assert.equal(statuses.filter((status) => status === 429).length, 4, String(statuses));
  });

  for (const way of ["hangs", "dies"])
    test(`when Redis ${way}, calls go on within the time limit, and both are one again when it is back`, async () => {
      const config = {
        cost_governance: { enabled: true, default_cost: 0.1, budgets: { daily: 100 } },
        backends: { box: backend() },
      };
      const [a, b] = await startTwo(config, "250ms");
      const session = await open(a);
      await call(a, session, "echo", { text: "warm" });
      await call(b, session, "echo", { text: "warm" });
      if (way === "hangs") redis.pause();
      else await redis.kill();
      const began = performance.now();
      const answers = await Promise.all(Array.from({ length: 10 }, () => call(a, session, "echo", { text: "alone" })));
      const tookMs = performance.now() - began;
      assert.ok(
        answers.every((text) => text.includes("alone")),
        answers.join("\n"),
      );
      assert.ok(tookMs < 1_500, `${tookMs} ms`);
      const file = freshFile();
      const keyed = () => call(a, session, "work", { file, ms: 0 }, { idempotency_key: "alone" });
      assert.equal(
        await keyed()
          .then(() => keyed())
          .then(() => runs(file)),
        1,
      );
      const alone = await open(a);
      const state = await health(a);
      assert.equal(state.status, "degraded");
      assert.match(String(state.degraded), /Limits, budgets, sessions and kept answers cannot be shared: /);
      if (way === "hangs") redis.goOn();
      else await redis.start();
      // The other one may not have noticed.
      for (const { stderr } of way === "hangs" ? [a] : [a, b]) await until(() => /shared again/.test(stderr()), 30_000);
      assert.equal((await health(a)).status, "healthy");
      // What happened alone is handed in.
      await until(async () => (await rpc(b, alone, "ping", {})).status === 200, 30_000);
      assert.match(await call(b, session, "work", { file, ms: 0 }, { idempotency_key: "back" }), /content/);
      assert.match(await call(a, session, "work", { file, ms: 0 }, { idempotency_key: "back" }), /"repeated":true/);
      for (const { stderr } of [a, b]) assert.doesNotMatch(stderr(), new RegExp(password));
    });

  test("with rediss:// only a Redis with a certificate of a known authority is used", {
    skip: !hasOpenssl && "needs openssl",
  }, async (t) => {
    const authority = createAuthority();
    t.after(() => authority.remove());
    const { certPath, keyPath } = authority.issue("redis", "/CN=redis", "IP:127.0.0.1");
    const files = ["--tls-cert-file", certPath, "--tls-key-file", keyPath, "--tls-ca-cert-file", authority.ca.certPath];
    const secure = await startRedis([...files, "--port", "0", "--tls-auth-clients", "no"]);
    t.after(() => secure.kill());
    const config = {
      capabilities: { enabled: false },
      shared_state: { redis_url: secure.url.replace("redis:", "rediss:") },
    };
    const env = { NODE_EXTRA_CA_CERTS: authority.ca.certPath };
    gateways.push(await startGateway(config, { env }), await startGateway(config, { env }), await startGateway(config));
    const [a, b, stranger] = gateways as [GatewayProcess, GatewayProcess, GatewayProcess];
    const session = await open(a);
    assert.equal((await rpc(b, session, "ping", {})).status, 200);
    await until(() => /cannot be shared/.test(stranger.stderr()));
    assert.equal((await rpc(stranger, session, "ping", {})).status, 404);
    assert.match(String((await health(stranger)).degraded), /certificate/);
  });

  test("it can be switched on and off while running", async () => {
    const [a, b] = await startTwo({ backends: { box: backend() } });
    const text = readFileSync(a.configPath, "utf8");
    writeFileSync(a.configPath, text.replace('"shared_state"', '"_shared_state"'));
    await until(() => a.stderr().includes("Configuration reloaded"));
    const alone = await open(a);
    assert.equal((await rpc(b, alone, "ping", {})).status, 404);
    writeFileSync(a.configPath, text);
    await until(() => a.stderr().split("Configuration reloaded").length === 3);
    await until(async () => (await rpc(b, alone, "ping", {})).status === 200, 30_000);
    assert.equal((await rpc(b, await open(a), "ping", {})).status, 200);
  });

  test("a wrong password is said without the password, and an address that is none stops the start", async () => {
    const url = `redis://gateway:${password}-wrong@127.0.0.1:${redis.port}/0`;
    const a = await start({ backends: {} }, { redis_url: url });
    await until(() => /cannot be shared/.test(a.stderr()));
    await a.logged(/WRONGPASS/);
    assert.match(String((await health(a)).degraded), /WRONGPASS/);
    const { spawnSync } = await import("node:child_process");
    const run = (...args: string[]) => {
      const { stdout, stderr, status } = spawnSync(binaryPath, args, {
        env: environmentIn(a.folder),
        encoding: "utf8",
      });
      return { text: stdout + stderr, status };
    };
    const shown = run("config", "show", "--config", a.configPath);
    assert.match(shown.text, /shared_state\.redis_url/);
    writeFileSync(a.configPath, JSON.stringify({ shared_state: { redis_url: `http://x:${password}-wrong@host` } }));
    const refused = run("serve", "--config", a.configPath);
    assert.equal(refused.status, 1);
    assert.match(refused.text, /shared_state\.redis_url must be an address such as "redis:\/\//);
    for (const text of [a.stderr(), shown.text, refused.text])
      assert.doesNotMatch(text, new RegExp(`${password}-wrong`));
  });
});
