/** The face of 2026-07-28 without a transport. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { announceListChange, announceUpdate } from "../../src/clients/fan-out.ts";
import type { ModernContext } from "../../src/clients/modern/modern-face.ts";
import { createModernFace } from "../../src/clients/modern/modern-face.ts";
import { Answer } from "../../src/core/answer.ts";
import type { Call } from "../../src/core/call.ts";
import { DeniedError, GatewayError, UpstreamRpcError } from "../../src/core/errors.ts";
import { createStateSeal } from "../../src/gateway/state-seal.ts";
import { Cancellation } from "../../src/lib/cancellation.ts";
import { isJsonObject, type JsonObject } from "../../src/lib/json.ts";
import { RoutingProfiles } from "../../src/meta/routing/routing-profiles.ts";
import { FakeClock } from "../fixtures/fake-clock.ts";
import { contextOf, fakeHost, request } from "./fake-host.ts";

const version = "2026-07-28";
const subscriptionId = "io.modelcontextprotocol/subscriptionId";
const never = new Cancellation();
const turn = () => new Promise((resolve) => setTimeout(resolve, 5));

function envelope(capabilities: JsonObject = {}, more: JsonObject = {}): JsonObject {
  return {
    "io.modelcontextprotocol/protocolVersion": version,
    "io.modelcontextprotocol/clientCapabilities": capabilities,
    ...more,
  };
}

type Work = (call: Call) => Promise<JsonObject | undefined>;

function setUp(work: Work = async () => ({})) {
  const clock = new FakeClock();
  const tool = { name: "ask", inputSchema: { properties: { r: { type: "string", "x-mcp-header": "R" } } } };
  const lists = { shop: { tools: [tool], resources: [{ uri: "a://1", name: "one" }] } };
  const host = fakeHost(lists, async (made) => Answer.of((await work(made)) ?? {}));
  Object.assign(host, { clock });
  let ids = 0;
  const face = createModernFace(host, {
    seal: createStateSeal(undefined, () => {}),
    randomId: () => `id-${++ids}`,
  });
  const ask = async (method: string, params: JsonObject = {}, change: Partial<ModernContext> = {}) => {
    const context = { ...contextOf({ backend: "shop" }), header: undefined, ...change };
    const meta = { _meta: envelope() };
    const { status, text } = await face.handle(request(method, { ...meta, ...params }), context);
    const { result, error } = JSON.parse(text) as {
      result: JsonObject;
      error: { code: number; message: string; data: JsonObject };
    };
    return { status, result, error, emitted: context.emitted.map((one) => JSON.parse(one) as JsonObject) };
  };
  return { host, clock, face, ask };
}

test("server/discover tells the revisions, capabilities and instructions of the endpoint", async () => {
  const { ask } = setUp();
  const { status, result } = await ask("server/discover", {}, { backend: undefined });
  assert.equal(status, 200);
  assert.deepEqual(result["supportedVersions"], [version]);
  assert.ok(isJsonObject(result["capabilities"]) && result["capabilities"]["tools"]);
  assert.equal(typeof result["instructions"], "string");
  assert.equal(result["resultType"], "complete");
});

test("a routing profile is that of each request: what it hides is neither found nor called, a wrong name is refused", async () => {
  const { ask, host } = setUp();
  const none = { allow_backends: undefined, deny_backends: undefined, allow_tools: undefined, deny_tools: undefined };
  host.profiles = new RoutingProfiles({ none: { ...none, description: "", deny_backends: ["shop"] } }, "default");
  const onAll = { backend: undefined };
  const invoke = { name: "gateway_invoke", arguments: { server: "shop", tool: "ask" } };
  assert.notEqual((await ask("tools/call", invoke, onAll)).result["isError"], true);
  assert.match(JSON.stringify(await ask("tools/call", invoke, { ...onAll, profile: "none" })), /No server is named/);
  assert.doesNotMatch(JSON.stringify(await ask("server/discover", {}, { ...onAll, profile: "none" })), /shop/);
  assert.match((await ask("tools/list", {}, { profile: "none" })).error.message, /There is no backend "shop"/);
  assert.match((await ask("tools/list", {}, { ...onAll, profile: "nnoe" })).error.message, /no routing profile "nnoe"/);
  assert.equal(host.calls.length, 1);
});

test("who watches answers is told what failed, also where the result says so to the model", async () => {
  const { ask, host } = setUp(() => Promise.reject(new DeniedError("FORBIDDEN", "No")));
  const told: unknown[] = [];
  Object.assign(host, {
    onAnswer: (_message: unknown, _context: unknown, _result: unknown, _tookMs: number, failure: unknown) =>
      told.push(failure instanceof GatewayError ? failure.code : failure),
  });
  assert.equal((await ask("tools/call", { name: "ask" })).result["isError"], true);
  await ask("no/such/method");
  await ask("tools/list");
  assert.deepEqual(told, ["FORBIDDEN", "METHOD_NOT_FOUND", undefined]);
});

test("what the revision took out is not found, and an endpoint that does not exist neither", async () => {
  const { ask, host } = setUp();
  for (const method of [
    "initialize",
    "ping",
    "logging/setLevel",
    "resources/subscribe",
    "resources/unsubscribe",
    "x",
  ]) {
    const { status, error } = await ask(method);
    assert.deepEqual([status, error.code], [404, -32_601], method);
  }
  const { status, error } = await ask("tools/list", {}, { backend: "nowhere" });
  assert.equal(status, 404);
  assert.match(error.message, /no backend "nowhere"/);
  assert.equal(host.sessions.size, 0);
});

test("a request that does not say who sends it, or in another revision, is refused before anything runs", async () => {
  const { ask, host } = setUp();
  const refused = await ask("tools/call", {
    name: "ask",
    _meta: { "io.modelcontextprotocol/protocolVersion": version },
  });
  assert.deepEqual([refused.status, refused.error.code], [400, -32_602]);
  const meta = { ...envelope(), "io.modelcontextprotocol/protocolVersion": "2031-01-01" };
  const other = await ask("tools/call", { name: "ask", _meta: meta });
  assert.deepEqual([other.status, other.error.code], [400, -32_022]);
  assert.deepEqual(other.error.data["supported"], [version]);
  assert.equal(other.error.data["requested"], "2031-01-01");
  assert.equal(host.calls.length, 0);
});

test("headers must repeat the body: the revision, the method, the name and the arguments a tool wants repeated", async () => {
  const { ask, host } = setUp();
  const sound = { "mcp-protocol-version": version, "mcp-method": "tools/call", "mcp-name": "ask", "mcp-param-r": "x" };
  const call = (headers: Record<string, string>) =>
    ask("tools/call", { name: "ask", arguments: { r: "x" } }, { header: (name) => headers[name] ?? null });
  assert.equal((await call(sound)).status, 200);
  for (const name of Object.keys(sound)) {
    const { [name as keyof typeof sound]: _gone, ...rest } = sound;
    for (const headers of [rest, { ...rest, [name]: "other" }]) {
      const { status, error } = await call(headers as Record<string, string>);
      assert.deepEqual([status, error?.code], [400, -32_020], JSON.stringify(headers));
    }
  }
  assert.equal(host.calls.length, 1);
});

test("a call reaches the backend without what was for the gateway, and with what the client says of itself", async () => {
  const { ask, host } = setUp();
  const meta = envelope({ sampling: {} }, { progressToken: 1, traceparent: "00-1" });
  await ask("tools/call", { name: "ask", arguments: {}, inputResponses: { a: {} }, _meta: meta });
  const [call] = host.calls;
  assert.deepEqual(call?.params, {
    name: "ask",
    arguments: {},
    inputResponses: { a: {} },
    _meta: { traceparent: "00-1" },
  });
  assert.deepEqual(call?.envelope?.capabilities, { sampling: {} });
  assert.equal(call?.sessionId, undefined);
});

test("log messages come only to who asked for them, from the level on", async () => {
  const { ask } = setUp(async ({ onNotification }) => {
    for (const level of ["debug", "error"]) onNotification?.("notifications/message", { level, data: level });
    return {};
  });
  const levels = async (logLevel?: string) => {
    const meta = envelope({}, logLevel === undefined ? {} : { "io.modelcontextprotocol/logLevel": logLevel });
    const { emitted } = await ask("tools/call", { name: "ask", _meta: meta });
    return emitted.map(({ params }) => (params as JsonObject)["level"]);
  };
  assert.deepEqual(await levels(), []);
  assert.deepEqual(await levels("warning"), ["error"]);
  assert.deepEqual(await levels("debug"), ["debug", "error"]);
});

/** A tool that asks two things at once, and then one more. */
const curious: Work = async ({ client }) => {
  const ask = (method: string) => client?.ask(method, { of: method }, never);
  const first = await Promise.all([ask("elicitation/create"), ask("roots/list")]);
  return { content: [], said: [...first, await ask("roots/list")] as never };
};
const askable = { name: "ask", arguments: { q: 1 }, _meta: envelope({ elicitation: {}, roots: {} }) };

test("questions of a server become an answer, and the client's answers reach the call that waits", async () => {
  const { ask, clock, host } = setUp(curious);
  const begun = ask("tools/call", askable);
  await turn();
  await clock.advance(5);
  const { result: first } = await begun;
  assert.equal(first["resultType"], "input_required");
  assert.deepEqual(Object.values(first["inputRequests"] as JsonObject), [
    { method: "elicitation/create", params: { of: "elicitation/create" } },
    { method: "roots/list", params: { of: "roots/list" } },
  ]);
  const [one, two] = Object.keys(first["inputRequests"] as JsonObject) as [string, string];
  const half = await ask("tools/call", {
    ...askable,
    requestState: first["requestState"],
    inputResponses: { [two]: { b: 2 } },
  });
  assert.deepEqual(
    Object.keys(half.result["inputRequests"] as JsonObject),
    [one],
    "what was not answered is asked again",
  );
  const going = ask("tools/call", {
    ...askable,
    requestState: half.result["requestState"],
    inputResponses: { [one]: { a: 1 } },
  });
  await turn();
  await clock.advance(5);
  const last = (await going).result;
  assert.notEqual(last["requestState"], first["requestState"]);
  const [three] = Object.keys(last["inputRequests"] as JsonObject) as [string];
  const done = await ask("tools/call", {
    ...askable,
    requestState: last["requestState"],
    inputResponses: { [three]: { c: 3 } },
  });
  assert.deepEqual(done.result["said"], [{ a: 1 }, { b: 2 }, { c: 3 }]);
  assert.equal(done.result["resultType"], "complete");
  assert.equal(host.calls.length, 1, "the tool ran once");
});

test("a call that waits belongs to its client, its endpoint and its request", async () => {
  const { ask, clock } = setUp(curious);
  const begun = ask("tools/call", askable);
  await turn();
  await clock.advance(5);
  const { requestState } = (await begun).result;
  const caller = { ...contextOf().caller, principal: "somebody else" };
  for (const [params, context] of [
    [{ ...askable, requestState }, { caller }],
    [{ ...askable, requestState }, { backend: undefined }],
    [{ ...askable, requestState, arguments: { q: 2 } }, {}],
    [{ ...askable, requestState, name: "other" }, {}],
    [{ ...askable, requestState: `${requestState}x` }, {}],
    [{ ...askable, requestState: 1 }, {}],
  ] as const) {
    const { error, result } = await ask("tools/call", params as JsonObject, context);
    assert.equal(error?.code, -32_602, JSON.stringify(result));
  }
});

test("a client that hangs up, or does not come back, cancels the call", async () => {
  const signals: Call["signal"][] = [];
  const { ask, clock } = setUp(async (call) => {
    signals.push(call.signal);
    return curious(call);
  });
  const gone = new Cancellation();
  const hanging = ask("tools/call", askable, { signal: gone });
  await turn();
  gone.abort();
  assert.equal(signals[0]?.aborted, true);
  const begun = ask("tools/call", askable);
  await turn();
  await clock.advance(5);
  const { requestState } = (await begun).result;
  await clock.advance(599_000);
  assert.equal(signals[1]?.aborted, false);
  await clock.advance(1_000);
  assert.equal(signals[1]?.aborted, true);
  const late = await ask("tools/call", { ...askable, requestState });
  assert.match(late.error.message, /is over/);
  void hanging;
});

test("one client cannot have more than a hundred calls wait", async () => {
  const { ask, clock } = setUp(curious);
  const calls = Array.from({ length: 101 }, () => ask("tools/call", askable));
  await turn();
  await clock.advance(5);
  const answers = await Promise.all(calls);
  assert.equal(answers.filter(({ result }) => result?.["resultType"] === "input_required").length, 100);
  assert.match(answers.find(({ error }) => error !== undefined)?.error.message ?? "", /Too many calls wait/);
});

test("what a server of the same revision needs is relayed, its state under seal, and opened on the way back", async () => {
  const needs = {
    resultType: "input_required",
    inputRequests: { k: { method: "roots/list" } },
    requestState: "theirs",
  };
  const seen: unknown[] = [];
  const { ask } = setUp(async ({ params }) => {
    seen.push(params?.["requestState"]);
    return seen.length === 1 ? needs : { content: [] };
  });
  const params = { name: "ask", arguments: {}, _meta: envelope({ roots: {} }) };
  const { result } = await ask("tools/call", params);
  assert.deepEqual(result["inputRequests"], needs.inputRequests);
  assert.notEqual(result["requestState"], "theirs");
  const answered = { ...params, inputResponses: { k: {} } };
  assert.equal((await ask("tools/call", { ...answered, requestState: "theirs" })).error.code, -32_602);
  assert.deepEqual(
    (await ask("tools/call", { ...answered, requestState: result["requestState"] })).result["content"],
    [],
  );
  assert.deepEqual(seen, [undefined, "theirs"]);
});

test("the error that sends a user to an address becomes a question, for who can be asked that", async () => {
  const elicitations = [{ message: "Sign in", url: "https://x.example", elicitationId: "e" }];
  const { ask } = setUp(async () => {
    throw new UpstreamRpcError({ code: -32_042, message: "Sign in", data: { elicitations } }, "shop");
  });
  const call = (capabilities: JsonObject) => ask("tools/call", { name: "ask", _meta: envelope(capabilities) });
  const { result } = await call({ elicitation: { url: {} } });
  assert.equal(result["resultType"], "input_required");
  assert.deepEqual(Object.values(result["inputRequests"] as JsonObject), [
    { method: "elicitation/create", params: { mode: "url", ...elicitations[0] } },
  ]);
  const { error } = await call({ elicitation: {} });
  assert.ok(![-32_042, -32_002].includes(error.code), "codes the revision has no more are not sent");
});

test("errors have the codes of the revision", async () => {
  const errors = [
    new UpstreamRpcError({ code: -32_002, message: "Gone" }, "shop"),
    new UpstreamRpcError(
      { code: -32_021, message: "Needs sampling", data: { requiredCapabilities: { sampling: {} } } },
      "shop",
    ),
    new UpstreamRpcError({ code: 5, message: "Own" }, "shop"),
    new DeniedError("RATE_LIMITED", "Slow down"),
  ];
  const { ask } = setUp(async () => {
    throw errors.shift();
  });
  const read = () => ask("resources/read", { uri: "a://1" });
  const gone = await read();
  assert.deepEqual([gone.status, gone.error.code, gone.error.data["uri"]], [200, -32_602, "a://1"]);
  const lacking = await read();
  assert.deepEqual([lacking.status, lacking.error.code], [400, -32_021]);
  assert.deepEqual((await read()).error.code, 5);
  assert.deepEqual((await read()).error.code, -31_000);
});

test("a task is known to its client alone, and each request about it finds its server", async () => {
  const seen: unknown[] = [];
  const { ask, host } = setUp(async ({ method, params }) => {
    seen.push([method, params?.["taskId"]]);
    if (method === "tools/call") return { resultType: "task", taskId: "t:1", status: "working", ttlMs: null };
    return { resultType: "complete", taskId: "t:1", status: "completed", result: { content: [] } };
  });
  Object.assign(host, {
    describe: () => ({
      protocolVersion: version,
      capabilities: { extensions: { "io.modelcontextprotocol/tasks": {}, "x/y": {} } },
    }),
  });
  const { result: about } = await ask("server/discover");
  assert.deepEqual((about["capabilities"] as JsonObject)["extensions"], { "io.modelcontextprotocol/tasks": {} });
  const _meta = envelope({ extensions: { "io.modelcontextprotocol/tasks": {} } });
  const { result } = await ask("tools/call", { name: "ask", arguments: {}, _meta });
  const { taskId } = result;
  assert.equal(result["resultType"], "task");
  assert.notEqual(taskId, "t:1");
  for (const method of ["tasks/get", "tasks/update", "tasks/cancel"]) {
    const about = await ask(method, { taskId, _meta });
    assert.equal(about.result["taskId"], taskId, method);
    assert.deepEqual(seen.at(-1), [method, "t:1"]);
  }
  const others = { ...contextOf().caller, principal: "somebody else" };
  for (const [id, context] of [
    [taskId, { caller: others }],
    [taskId, { backend: undefined }],
    ["t:1", {}],
    [undefined, {}],
  ] as const)
    assert.equal((await ask("tasks/get", { taskId: id, _meta }, context)).error.code, -32_602);
  const undeclared = await ask("tasks/get", { taskId });
  assert.deepEqual([undeclared.status, undeclared.error.code], [400, -32_021]);
});

test("subscriptions/listen acknowledges what it honours, tells that and nothing else, and ends with a result", async () => {
  const { host, face } = setUp();
  const context = { ...contextOf({ backend: "shop" }), header: undefined };
  const notifications = { toolsListChanged: true, resourceSubscriptions: ["a://1"], nonsense: true };
  const params = { notifications, _meta: envelope() };
  const done = face.handle(request("subscriptions/listen", params, "sub"), context);
  announceListChange(host, "shop", "tools");
  await turn();
  announceListChange(host, "shop", "prompts");
  announceListChange(host, "other", "tools");
  announceUpdate(host, "shop", { uri: "a://1" });
  announceUpdate(host, "shop", { uri: "a://2" });
  const told = context.emitted.map((text) => JSON.parse(text) as { method: string; params: JsonObject });
  assert.deepEqual(
    told.map(({ method }) => method),
    ["notifications/subscriptions/acknowledged", "notifications/tools/list_changed", "notifications/resources/updated"],
  );
  for (const { params } of told) assert.equal((params["_meta"] as JsonObject)[subscriptionId], "sub");
  assert.deepEqual(told[0]?.params["notifications"], { toolsListChanged: true, resourceSubscriptions: ["a://1"] });
  assert.equal(host.subscriptions.hasAny("shop"), true);
  for (const listening of host.listenings) listening.end();
  const { result } = JSON.parse((await done).text) as { result: JsonObject };
  assert.equal((result["_meta"] as JsonObject)[subscriptionId], "sub");
  assert.equal(host.listenings.size, 0);
  assert.equal(host.subscriptions.hasAny("shop"), false);
});

test("subscriptions/listen is over when the client hangs up", async () => {
  const { host, ask } = setUp();
  const gone = new Cancellation();
  const listening = ask("subscriptions/listen", { notifications: {} }, { signal: gone });
  await turn();
  assert.equal(host.listenings.size, 1);
  gone.abort();
  await listening;
  assert.equal(host.listenings.size, 0);
  const refused = await ask("subscriptions/listen", {});
  assert.equal(refused.error.code, -32_602);
});
