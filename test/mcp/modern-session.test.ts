import assert from "node:assert/strict";
import { test } from "node:test";
import { Answer } from "../../src/core/answer.ts";
import type { ClientLink, RpcRequest } from "../../src/core/call.ts";
import { type GatewayError, UpstreamRpcError } from "../../src/core/errors.ts";
import { Cancellation } from "../../src/lib/cancellation.ts";
import type { JsonObject } from "../../src/lib/json.ts";
import { DuplexSession } from "../../src/mcp/duplex-session.ts";
import { ModernSession } from "../../src/mcp/modern-session.ts";
import { createPeer } from "../../src/mcp/peer.ts";
import { FakeClock } from "../fixtures/fake-clock.ts";

const never = new Cancellation();
const version = "2026-07-28";
const metaOf = ({ params }: RpcRequest) => params?.["_meta"] as JsonObject;
const turn = () => new Promise((resolve) => setImmediate(resolve));

type Respond = (request: RpcRequest) => JsonObject | Promise<JsonObject>;

/** A session with a server that is a function. */
async function setUp(respond: Respond, capabilities: JsonObject = {}) {
  const clock = new FakeClock();
  const requests: RpcRequest[] = [];
  const notifications: [method: string, params: JsonObject][] = [];
  const exchange = async (request: RpcRequest) => {
    requests.push(request);
    if (request.method === "server/discover")
      return Answer.of({ supportedVersions: [version], capabilities, instructions: "Hi" });
    return Answer.of(await respond(request));
  };
  const events = { onNotification: (method: string, params: JsonObject) => void notifications.push([method, params]) };
  const options = { serverName: "shop", clock, events, exchange };
  const { session, description } = await ModernSession.discover(options, never);
  return { clock, requests, notifications, session, description };
}

function clientThat(answer: (method: string, params: JsonObject) => JsonObject | Promise<JsonObject>): ClientLink {
  return {
    sessionId: "c",
    capabilities: { sampling: {}, elicitation: { form: {} }, experimental: { x: {} } },
    ask: async (method, params) => answer(method, params),
  };
}

test("ModernSession describes the server by what it says of itself", async () => {
  const { description, requests } = await setUp(() => ({}), { tools: {} });
  assert.deepEqual(description, {
    protocolVersion: version,
    serverInfo: {},
    capabilities: { tools: {} },
    instructions: "Hi",
  });
  assert.equal(metaOf(requests[0] as RpcRequest)["io.modelcontextprotocol/protocolVersion"], version);
});

test("ModernSession asks the client of an older revision what the server needs, and goes on with its state", async () => {
  const states: unknown[] = [];
  const { session, requests } = await setUp(({ params }) => {
    states.push(params?.["requestState"]);
    const { name, ok } = (params?.["inputResponses"] ?? {}) as { name?: JsonObject; ok?: JsonObject };
    if (name === undefined && ok === undefined)
      return {
        resultType: "input_required",
        inputRequests: { name: { method: "elicitation/create", params: { message: "Name?" } } },
        requestState: "one",
      };
    if (ok === undefined)
      return { resultType: "input_required", inputRequests: { ok: { method: "sampling/createMessage" } } };
    return { resultType: "complete", content: [], answers: [name ?? null, ok] };
  });
  const asked: string[] = [];
  const client = clientThat((method, params) => {
    asked.push(`${method} ${JSON.stringify(params)}`);
    return { of: method };
  });
  const answer = await session.request({ method: "tools/call", params: { name: "x" }, signal: never, client });
  assert.deepEqual(answer.value, { content: [], answers: [null, { of: "sampling/createMessage" }] });
  assert.deepEqual(asked, ['elicitation/create {"message":"Name?"}', "sampling/createMessage {}"]);
  assert.deepEqual(states, [undefined, "one", undefined], "a round without a state is gone on with without one");
  assert.deepEqual(metaOf(requests.at(-1) as RpcRequest)["io.modelcontextprotocol/clientCapabilities"], {
    sampling: {},
    elicitation: { form: {} },
  });
});

test("ModernSession gives up on a server that never has enough, and on questions nobody can be asked", async () => {
  const greedy = await setUp(() => ({
    resultType: "input_required",
    inputRequests: { again: { method: "roots/list" } },
  }));
  const request = { method: "tools/call", params: { name: "x" }, signal: never };
  await assert.rejects(
    greedy.session.request({ ...request, client: clientThat(() => ({})) }),
    (error: GatewayError) => {
      assert.equal(error.code, "UPSTREAM_PROTOCOL");
      assert.match(error.message, /10 rounds/);
      return true;
    },
  );
  await assert.rejects(greedy.session.request(request), /cannot be asked "roots\/list"/);
});

test("ModernSession lets a client of the same revision speak for itself", async () => {
  const needs = { resultType: "input_required", inputRequests: {}, requestState: "s" };
  const { session, requests } = await setUp(() => needs);
  const envelope = { capabilities: { x: {} }, clientInfo: { name: "c" }, logLevel: "info" };
  const params = { name: "x", inputResponses: { a: {} }, requestState: "r" };
  const answer = await session.request({ method: "tools/call", params, signal: never, envelope });
  assert.deepEqual(answer.value, needs);
  const sent = requests.at(-1) as RpcRequest;
  assert.deepEqual(sent.params?.["inputResponses"], { a: {} });
  assert.equal(sent.params?.["requestState"], "r");
  assert.equal(metaOf(sent)["io.modelcontextprotocol/logLevel"], "info");
  assert.deepEqual(metaOf(sent)["io.modelcontextprotocol/clientCapabilities"], { x: {} });
});

test("ModernSession makes what the revision has no more of what it has", async () => {
  const { session, requests } = await setUp(() => ({ resultType: "complete" }));
  const ask = (method: string, params?: JsonObject) => session.request({ method, params, signal: never });
  assert.deepEqual((await ask("ping")).value, {});
  assert.equal(requests.at(-1)?.method, "server/discover");
  await ask("logging/setLevel", { level: "warning" });
  await session.request({ method: "tools/call", params: {}, signal: never, onNotification() {} });
  assert.equal(metaOf(requests.at(-1) as RpcRequest)["io.modelcontextprotocol/logLevel"], "warning");
  await ask("tools/call", {});
  assert.equal(metaOf(requests.at(-1) as RpcRequest)["io.modelcontextprotocol/logLevel"], undefined);
});

/** A server that acknowledges every listening and keeps it until it is told to end. */
function listeningServer() {
  const listenings: { request: RpcRequest; end: () => void }[] = [];
  const respond: Respond = (request) => {
    if (request.method !== "subscriptions/listen") return {};
    request.onNotification?.("notifications/subscriptions/acknowledged", {});
    return new Promise((resolve, reject) => {
      listenings.push({ request, end: () => resolve({}) });
      request.signal.addEventListener("abort", () => reject(request.signal.reason));
    });
  };
  const filters = () => listenings.map(({ request }) => request.params?.["notifications"]);
  return { listenings, respond, filters };
}

test("ModernSession listens for what the server offers to tell, and passes it on without the id of the subscription", async () => {
  const { respond, filters, listenings } = listeningServer();
  const offers = { tools: { listChanged: true }, prompts: {}, resources: { listChanged: true } };
  const { session, notifications } = await setUp(respond, offers);
  await session.listening(never);
  assert.deepEqual(filters(), [{ toolsListChanged: true, resourcesListChanged: true }]);
  const tell = listenings[0]?.request.onNotification;
  tell?.("notifications/tools/list_changed", { _meta: { "io.modelcontextprotocol/subscriptionId": 1 } });
  tell?.("notifications/x", { _meta: { "io.modelcontextprotocol/subscriptionId": 1, a: 2 } });
  assert.deepEqual(notifications, [
    ["notifications/tools/list_changed", {}],
    ["notifications/x", { _meta: { a: 2 } }],
  ]);
  session.close();
  assert.equal(listenings[0]?.request.signal.aborted, true);
});

test("ModernSession subscribes by listening anew, and gives the old listening up only then", async () => {
  const { respond, filters, listenings } = listeningServer();
  const { session } = await setUp(respond, { resources: { subscribe: true } });
  const ask = (method: string, uri: string) => session.request({ method, params: { uri }, signal: never });
  await ask("resources/subscribe", "a://1");
  await ask("resources/subscribe", "a://2");
  await ask("resources/subscribe", "a://2");
  assert.deepEqual(filters(), [{ resourceSubscriptions: ["a://1"] }, { resourceSubscriptions: ["a://1", "a://2"] }]);
  assert.deepEqual(
    listenings.map(({ request }) => request.signal.aborted),
    [true, false],
  );
  await ask("resources/unsubscribe", "a://1");
  await ask("resources/unsubscribe", "a://2");
  assert.equal(listenings.length, 3, "nothing is left to listen for");
  assert.equal(
    listenings.every(({ request }) => request.signal.aborted),
    true,
  );
});

test("ModernSession listens again when the server ends it, and takes it that it missed something", async () => {
  const { respond, listenings } = listeningServer();
  const { session, clock, notifications } = await setUp(respond, { tools: { listChanged: true } });
  await session.listening(never);
  listenings[0]?.end();
  await turn();
  assert.equal(listenings.length, 1);
  await clock.advance(1_000);
  await turn();
  assert.equal(listenings.length, 2);
  assert.deepEqual(notifications, [["notifications/tools/list_changed", {}]]);
  session.close();
});

test("ModernSession does without listening where the server refuses it", async () => {
  const { session, requests } = await setUp(
    ({ method }) => {
      if (method === "subscriptions/listen") throw new UpstreamRpcError({ code: -32_601, message: "No" }, "shop");
      return {};
    },
    { tools: { listChanged: true } },
  );
  await session.listening(never);
  assert.equal(requests.filter(({ method }) => method === "subscriptions/listen").length, 1);
});

/** A peer whose other end answers by method. */
function duplex(answers: Record<string, object>, offer?: string) {
  const sent: string[] = [];
  const clock = new FakeClock();
  const peer = createPeer({
    serverName: "pipe",
    send(text) {
      const { id, method } = JSON.parse(text) as { id?: number; method: string };
      sent.push(method);
      if (id !== undefined && method in answers)
        queueMicrotask(() => peer.receive(JSON.stringify({ jsonrpc: "2.0", id, ...answers[method] })));
    },
    onNotification: (method, params) => session.onNotification(method, params),
    onRefused() {},
  });
  const session = new DuplexSession({ serverName: "pipe", clock, offer, peer, events: { onNotification() {} } });
  return { session, sent };
}

const modernAnswer = { result: { supportedVersions: [version], capabilities: {} } };
const legacyAnswer = { result: { protocolVersion: "2025-06-18", capabilities: {}, serverInfo: {} } };

test("DuplexSession begins as older servers expect, and goes on with the newer revision where that is refused", async () => {
  const older = duplex({ initialize: legacyAnswer, "server/discover": modernAnswer });
  assert.equal((await older.session.open(never)).protocolVersion, "2025-06-18");
  assert.deepEqual(older.sent, ["initialize", "notifications/initialized"]);
  for (const error of [
    { code: -32_601, message: "Method not found" },
    { code: -32_022, message: "Unsupported", data: { supported: [version] } },
    { code: -32_600, message: `Only ${version} here` },
  ]) {
    const newer = duplex({ initialize: { error }, "server/discover": modernAnswer });
    assert.equal((await newer.session.open(never)).protocolVersion, version);
    assert.deepEqual(newer.sent, ["initialize", "server/discover"]);
  }
});

test("DuplexSession reports what the server said to `initialize` when it knows neither", async () => {
  const refusal = { error: { code: -32_601, message: "What?" } };
  const neither = duplex({ initialize: refusal, "server/discover": refusal });
  await assert.rejects(neither.session.open(never), /What\?/);
  const other = duplex({ initialize: { error: { code: -32_000, message: "Not today" } } });
  await assert.rejects(other.session.open(never), /Not today/);
  assert.deepEqual(other.sent, ["initialize"]);
});

test("DuplexSession speaks the revision of the configuration and no other", async () => {
  const pinned = duplex({ "server/discover": modernAnswer }, version);
  assert.equal((await pinned.session.open(never)).protocolVersion, version);
  assert.deepEqual(pinned.sent, ["server/discover"]);
  const older = duplex({ initialize: { error: { code: -32_601, message: "No" } } }, "2025-06-18");
  await assert.rejects(older.session.open(never), /No/);
});
