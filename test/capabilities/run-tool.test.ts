/** `service: mcp`: what the backend is asked, what becomes of its answer, and when something else stands in. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createExecution } from "../../src/capabilities/create-execution.ts";
import { loadCapability } from "../../src/capabilities/load.ts";
import { Refusal } from "../../src/capabilities/refusal.ts";
import type { Backends } from "../../src/capabilities/run-tool.ts";
import { Answer } from "../../src/core/answer.ts";
import type { RpcRequest } from "../../src/core/call.ts";
import { DeniedError, GatewayError, UnreachedError, UpstreamError, UpstreamRpcError } from "../../src/core/errors.ts";
import { systemClock } from "../../src/lib/clock.ts";
import type { JsonObject } from "../../src/lib/json.ts";
import { call, Folder, KeptLog, listTools, tryOnce, upstreamOver } from "./fixture.ts";
import { RawApi } from "./raw-api.ts";

interface Asked {
  readonly server: string;
  readonly tool: string;
  readonly args: JsonObject;
}

function backends(answer: (asked: Asked, request: RpcRequest) => Promise<Answer> | Answer) {
  const asked: Asked[] = [];
  const found: Backends = {
    has: (server) => server === "tracker",
    async callTool(target, request) {
      asked.push(target);
      return answer(target, request);
    },
  };
  return { asked, backends: found };
}

const text = (value: unknown) => Answer.of({ content: [{ type: "text", text: JSON.stringify(value) }] });
const mcp = (config: object = {}, more: object = {}) => ({
  service: "mcp",
  config: { server: "tracker", tool: "create_issue", ...config },
  ...more,
});
const input = (...names: string[]) => ({
  schema: { input: { type: "object", properties: Object.fromEntries(names.map((name) => [name, {}])) } },
});
const providers = (primary: object, ...fallback: object[]) => ({ providers: { primary, fallback } }) as JsonObject;

test("service mcp: the template gives the arguments, typed; without one they are the caller's own", async () => {
  const { asked, backends: found } = backends(() => text({ id: 7 }));
  const template = { title: "Ticket: {title}", labels: ["{label}", "fixed"], count: "{count}", team: "{env.TEAM}" };
  const definition = { ...providers(mcp({ arguments: template })), ...input("title", "label", "count") };
  const options = { backends: found, env: { TEAM: "core" } };
  const { text: answer } = await tryOnce(definition, { ...options, args: { title: "a {label}", count: 3 } });
  assert.deepEqual(JSON.parse(answer), { id: 7 });
  await tryOnce({ ...providers(mcp()), ...input("title") }, { ...options, args: { title: "x" } });
  await tryOnce({ ...providers(mcp({ arguments: { gone: "{title}" } })), ...input("title") }, options);
  const target = { server: "tracker", tool: "create_issue" };
  assert.deepEqual(asked, [
    { ...target, args: { title: "Ticket: a {label}", labels: ["fixed"], count: 3, team: "core" } },
    { ...target, args: { title: "x" } },
    { ...target, args: {} },
  ]);
});

test("service mcp: the whole result passes, an error of the tool too", async () => {
  const result = { content: [{ type: "image", data: "AA==", mimeType: "image/png" }], _meta: { "x/y": 1 }, future: 2 };
  const whole = await tryOnce(
    providers(mcp()),
    backends(() => Answer.of(result)),
  );
  assert.deepEqual(whole.value, result);
  const failed = { content: [{ type: "text", text: "no such team" }], isError: true };
  const second = mcp({ tool: "second" });
  const { asked, backends: found } = backends(() => Answer.of(failed));
  const { value } = await tryOnce(providers(mcp({ response_path: "id" }), second), { backends: found });
  assert.deepEqual([value, asked.length], [failed, 1]);
});

test("service mcp: response_path and schema.output read structured content, or JSON in a text", async () => {
  const found = { issue: { id: 12_345_678_901_234_567n.toString(), ok: true } };
  const prose = { type: "text", text: "Created" };
  const results = [
    { content: [prose], structuredContent: found },
    { content: [prose, { type: "text", text: JSON.stringify(found) }] },
  ];
  for (const result of results) {
    const options = backends(() => Answer.of(result));
    const { text: part } = await tryOnce(providers(mcp({ response_path: "issue.ok" })), options);
    assert.equal(part, "true");
    const output = { schema: { output: { type: "object", properties: { issue: {} } } } };
    const { value } = await tryOnce({ ...providers(mcp()), ...output }, options);
    assert.deepEqual(value["structuredContent"], found);
    const missing = await tryOnce(providers(mcp({ response_path: "issue.name" })), options);
    assert.match(missing.text, /has no "issue\.name"/);
  }
  const plain = await tryOnce(
    providers(mcp({ response_path: "a" })),
    backends(() => Answer.of({ content: [prose] })),
  );
  assert.deepEqual([plain.isError, plain.text], [true, "The answer of the tool is not JSON"]);
});

const kept = (code: "CIRCUIT_OPEN" | "SERVER_NOT_FOUND" | "UPSTREAM_START_FAILED" | "FORBIDDEN" | "FIREWALL_BLOCKED") =>
  new DeniedError(code, `Refused: ${code}`);

test("service mcp: stands in for an API, and an API for it, where nothing was done yet", async () => {
  await using broken = await RawApi.start(() => ({ status: 429 }));
  await using api = await RawApi.start(() => ({ body: '{"from":"api"}' }));
  const rest = (base_url: string) => ({ max_attempts: 1, config: { base_url, method: "POST" } });
  const standIn = await tryOnce(
    providers(rest(broken.origin), mcp()),
    backends(() => text({ from: "tool" })),
  );
  assert.deepEqual(JSON.parse(standIn.text), { from: "tool" });
  assert.deepEqual(standIn.value["_meta"], { "mcp-gateway/provider": "fallback.0" });
  const unreached = new UnreachedError("UPSTREAM_CLOSED", "No connection");
  for (const error of [kept("CIRCUIT_OPEN"), kept("SERVER_NOT_FOUND"), kept("UPSTREAM_START_FAILED"), unreached]) {
    const options = backends(() => Promise.reject(error));
    const { text: answer } = await tryOnce(providers(mcp(), rest(api.origin)), options);
    assert.deepEqual(JSON.parse(answer), { from: "api" }, error.code);
  }
  assert.equal(api.requests.length, 4);
});

test("service mcp: what a policy refuses, or may have been done, is not tried elsewhere", async () => {
  await using api = await RawApi.start();
  const rest = { config: { base_url: api.origin } };
  // A proxy in front of a server may say 502 when the server has done its work.
  const lost = new UpstreamError("UPSTREAM_START_FAILED", "Answered with HTTP 502");
  for (const error of [kept("FORBIDDEN"), kept("FIREWALL_BLOCKED"), new UpstreamError("TIMEOUT", "Too slow"), lost]) {
    const { isError, text: answer } = await tryOnce(
      providers(mcp(), rest),
      backends(() => Promise.reject(error)),
    );
    assert.deepEqual([isError, answer], [true, error.message]);
  }
  assert.equal(api.requests.length, 0);
  const reading = { ...providers(mcp(), rest), metadata: { read_only: true } };
  const timedOut = backends(() => Promise.reject(new UpstreamError("TIMEOUT", "Too slow")));
  assert.equal((await tryOnce(reading, timedOut)).isError, false, "a reading one may go on");
});

test("service mcp: what the client must see itself is not made a text", async () => {
  const login = new GatewayError("LOGIN_REQUIRED", "Log in", { data: { login_url: "https://x" } });
  const rpc = new UpstreamRpcError({ code: -32_042, message: "Go there" }, "tracker");
  for (const error of [login, rpc]) {
    const options = backends(() => Promise.reject(error));
    await assert.rejects(tryOnce(providers(mcp()), options), (thrown) => thrown === error);
  }
});

test("service mcp: a provider's own timeout ends the call, its backend's is the rule", async () => {
  const seen: boolean[] = [];
  const hanging = backends(
    (_asked, { signal }) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => {
          seen.push(signal.aborted);
          reject(signal.reason as Error);
        });
      }),
  );
  const { text: answer } = await tryOnce(providers(mcp({}, { timeout: 0.02 })), hanging);
  assert.match(answer, /within 0\.02 s/);
  assert.deepEqual(seen, [true]);
  const { capability } = await loadCapability({
    path: "t.yaml",
    content: { parsed: { description: "d", ...providers(mcp()) } },
  });
  assert.equal(capability?.providers[0].timeoutMs, undefined);
});

test("service mcp: where no gateway runs, the answer says so, and what can stand in does", async () => {
  const run = async (definition: JsonObject) => {
    const { capability } = await loadCapability({
      path: "t.yaml",
      content: { parsed: { description: "d", ...definition } },
    });
    const execution = createExecution({ env: {}, stateDirectory: "/none", ssrfProtection: false, clock: systemClock });
    const { signal } = new AbortController();
    const request = { method: "tools/call", params: undefined, signal };
    const listed = { ...capability!, load: async () => capability! };
    return execution.run(listed, { value: {}, isFull: false }, request, signal);
  };
  await assert.rejects(run(providers(mcp())), (error) => {
    assert.ok(error instanceof Refusal);
    assert.equal(error.message, 'Tool "create_issue" of server "tracker" can be called by a running gateway only');
    return true;
  });
  await using api = await RawApi.start(() => ({ body: "{}" }));
  await run(providers(mcp(), { config: { base_url: api.origin } }));
  assert.equal(api.requests.length, 1);
});

const wrong: readonly (readonly [string, object, RegExp])[] = [
  ["a server that is an argument", { server: "{a}" }, /config\.server" must be a name: no placeholder/],
  ["a tool from the environment", { tool: "{env.X}" }, /config\.tool" must be a name/],
  ["no tool", { tool: "" }, /config\.tool" must be the name of a tool/],
  ["a misspelt argument", { arguments: { x: "{titel}" } }, /has "\{titel\}", .* did you mean "title"\?/],
  ["a key", { arguments: { x: "{keychain.K}" } }, /config\.arguments" must not have a key: "secrets" of the backend/],
];
for (const [what, config, message] of wrong)
  test(`service mcp: ${what} is a problem of the file`, async () => {
    const text = JSON.stringify({ description: "d", ...providers(mcp(config)), ...input("title") });
    await assert.rejects(loadCapability({ path: "t.yaml", content: { text } }), message);
  });

test("service mcp: a server that is not there is a warning, and so is a cache across callers", async () => {
  const file = {
    description: "d",
    ...providers(mcp({ server: "trakcer" })),
    metadata: { read_only: true },
    cache: { strategy: "exact", ttl: 60 },
  };
  await using folder = await Folder.with({ "tool.yaml": JSON.stringify(file) });
  const log = new KeptLog();
  const { asked, backends: found } = backends(() => text(1));
  await using upstream = upstreamOver([folder.path], { log, backends: found });
  assert.equal((await listTools(upstream)).length, 1);
  assert.match(log.lines[0] ?? "", /tool\.yaml:1:\d+ {2}There is no backend "trakcer" now: calls fail until there is$/);
  assert.match(log.lines[1] ?? "", /"cache" is not for providers of service mcp/);
  for (let time = 0; time < 2; time++) await call(upstream, "tool");
  assert.equal(asked.length, 2);
});
