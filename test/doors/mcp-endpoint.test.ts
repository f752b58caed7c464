import assert from "node:assert/strict";
import { test } from "node:test";
import type { ModernContext } from "../../src/clients/modern/modern-face.ts";
import { encodeResult } from "../../src/mcp/json-rpc.ts";
import { FakeClock, settle } from "../fixtures/fake-clock.ts";
import { fakeGateway } from "./fake-gateway.ts";
import { bothTypes, callTool, errorOf, eventsOf, initializeMessage, request, testApp } from "./http-client.ts";

test("session: initialize opens it, DELETE ends it, then it is unknown", async () => {
  const gateway = fakeGateway();
  const { ask, post } = testApp(gateway);
  const opened = await post("/mcp", initializeMessage("2025-06-18"));
  assert.equal(opened.status, 200);
  assert.equal(opened.headers.get("content-type"), "application/json");
  const session = { "mcp-session-id": opened.headers.get("mcp-session-id") as string };
  assert.match(session["mcp-session-id"], /^[\x21-\x7e]{22,}$/);
  const { result } = (await opened.json()) as { result: { protocolVersion: string } };
  assert.equal(result.protocolVersion, "2025-06-18");

  const initialized = await post("/mcp", { jsonrpc: "2.0", method: "notifications/initialized" }, session);
  assert.deepEqual([initialized.status, await initialized.text()], [202, ""]);
  const answer = await post("/mcp", callTool(7, "echo", { a: 1 }), session);
  assert.deepEqual(await answer.json(), {
    jsonrpc: "2.0",
    id: 7,
    result: { content: [{ type: "text", text: '{"a":1}' }] },
  });

  assert.equal((await ask("/mcp", { method: "DELETE", headers: session })).status, 204);
  assert.equal((await ask("/mcp", { method: "DELETE", headers: session })).status, 404);
  const late = await post("/mcp", request("x", "ping"), session);
  assert.equal(late.status, 404);
  assert.deepEqual(((await late.json()) as { id: string }).id, "x");
});

test("session: requests without one are told what to do, also ping", async () => {
  const { ask, post } = testApp(fakeGateway());
  for (const response of [
    await post("/mcp", request(1, "ping")),
    await post("/mcp", { jsonrpc: "2.0", method: "notifications/initialized" }),
    await ask("/mcp", { headers: { accept: "text/event-stream" } }),
    await ask("/mcp", { method: "DELETE" }),
  ]) {
    assert.equal(response.status, 400);
    assert.match(String((await errorOf(response)).data["hint"]), /initialize/);
  }
});

test("T7: a session of another caller, or of another endpoint, is unknown", async () => {
  const auth = { enabled: true, api_keys: [{ key: "key-a" }, { key: "key-b" }] };
  const gateway = fakeGateway({ auth });
  const { ask, post, initialize } = testApp(gateway);
  const [a, b] = [{ authorization: "Bearer key-a" }, { authorization: "Bearer key-b" }];
  const session = { "mcp-session-id": await initialize("/mcp/one", undefined, a) };
  const seen = gateway.seen.length;
  assert.equal((await post("/mcp/one", request(1, "ping"), { ...b, ...session })).status, 404);
  assert.equal((await post("/mcp", request(1, "ping"), { ...a, ...session })).status, 404);
  assert.equal((await post("/mcp/two", request(1, "ping"), { ...a, ...session })).status, 404);
  const stream = { accept: "text/event-stream", "last-event-id": "1" };
  assert.equal((await ask("/mcp/one", { headers: { ...stream, ...b, ...session } })).status, 404);
  assert.equal((await ask("/mcp/one", { method: "DELETE", headers: { ...b, ...session } })).status, 404);
  assert.equal(gateway.seen.length, seen, "none of them reached the face");
  assert.equal((await post("/mcp/one/anything", request(1, "ping"), { ...a, ...session })).status, 200);
});

test("T7: many clients that use the same ids at the same time get their own answers", async () => {
  const { post, initialize } = testApp(fakeGateway());
  const sessions = await Promise.all(Array.from({ length: 50 }, () => initialize()));
  const calls = sessions.flatMap((sessionId, client) =>
    Array.from({ length: 20 }, async (_, id) => {
      const response = await post("/mcp", callTool(id, id % 2 ? "echo" : "noisy", { client }), {
        "mcp-session-id": sessionId,
      });
      if (id % 2 === 0) return assert.equal((await eventsOf(response)).at(-1)?.["id"], id);
      assert.match(await response.text(), new RegExp(`"id":${id},.*client.{3}${client}\\}`));
    }),
  );
  await Promise.all(calls);
});

test("post: what is not JSON, or cannot be answered, is refused before it is read", async () => {
  const gateway = fakeGateway({ server: { max_body_size: 1_000 } });
  const { ask, post } = testApp(gateway);
  const status = async (headers: Record<string, string>, body: unknown = initializeMessage()) =>
    (await post("/mcp", body, headers)).status;
  assert.equal(await status({ "content-type": "text/plain" }), 415);
  assert.equal((await ask("/mcp", { method: "POST", body: "{}", headers: { "content-type": "" } })).status, 415);
  assert.equal(await status({ "content-type": "application/jsonp" }), 415);
  assert.equal(await status({ "content-type": "Application/JSON; charset=utf-8" }), 200);
  assert.equal(await status({ accept: "text/html" }), 406);
  for (const accept of ["*/*", "application/json", "text/event-stream", "text/event-stream;q=0.5, */*"])
    assert.equal(await status({ accept }), 200, accept);
  assert.equal(await status({ "content-length": "1001" }), 413);
  for (const method of ["PUT", "PATCH", "HEAD", "OPTIONS"]) {
    const response = await ask("/mcp", { method });
    assert.equal(response.status, 405);
    assert.equal(response.headers.get("allow"), "POST, GET, DELETE");
  }
  assert.ok(gateway.seen.every(({ kind }) => kind === "request"));
});

test("post: a body without announced length is cut at the limit", async () => {
  const gateway = fakeGateway({ server: { max_body_size: 10_000 } });
  const { app } = testApp(gateway);
  let pieces = 0;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      pieces++;
      controller.enqueue(new TextEncoder().encode(" ".repeat(1_000)));
    },
  });
  const init = {
    method: "POST",
    headers: { host: "localhost", "content-type": "application/json" },
    body,
    duplex: "half",
  };
  const response = await app.fetch(new Request("http://localhost/mcp", init as RequestInit), {
    address: "",
    keepOpen() {},
    upgrade: async () => undefined,
  });
  assert.equal(response.status, 413);
  assert.ok(pieces < 20, `${pieces} pieces were read`);
});

test("post: broken messages are answered with their id where they have one", async () => {
  const { post, initialize } = testApp(fakeGateway());
  const session = { "mcp-session-id": await initialize() };
  const cases: [string, number, number, unknown][] = [
    ["{", -32_700, 400, null],
    ["5", -32_600, 400, null],
    ['{"jsonrpc":"1.0","id":5,"method":"ping"}', -32_600, 400, 5],
    ['{"jsonrpc":"2.0","id":null,"method":"ping"}', -32_600, 400, null],
    ['{"jsonrpc":"2.0","id":1.5,"method":"ping"}', -32_600, 400, null],
    ['{"jsonrpc":"2.0","id":"a","method":"ping","params":[]}', -32_600, 400, "a"],
    ['{"jsonrpc":"2.0","id":1,"Method":"ping"}', -32_600, 400, 1],
    ['{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/call"}', -32_600, 400, null],
  ];
  for (const [body, code, status, id] of cases) {
    const response = await post("/mcp", body, session);
    assert.equal(response.status, status, body);
    const answer = (await response.json()) as { id: unknown; error: { code: number } };
    assert.deepEqual([answer.error.code, answer.id], [code, id], body);
  }
});

test("version: known legacy ones pass, unknown ones are told what is supported", async () => {
  const { ask, post, initialize } = testApp(fakeGateway());
  const session = { "mcp-session-id": await initialize() };
  const ping = (version: string) => post("/mcp", request(1, "ping"), { ...session, "mcp-protocol-version": version });
  for (const version of ["2025-11-25", "2025-03-26", "2024-11-05"]) assert.equal((await ping(version)).status, 200);
  for (const [response, id, requested] of [
    [await ping("1.0"), 1, "1.0"],
    [await ask("/mcp", { headers: { ...session, accept: bothTypes, "mcp-protocol-version": "x" } }), null, "x"],
  ] as const) {
    assert.equal(response.status, 400);
    const answer = (await response.json()) as { id: unknown; error: { code: number; data: Record<string, unknown> } };
    assert.equal(answer.id, id);
    assert.equal(answer.error.code, -32_022);
    assert.equal(answer.error.data["requested"], requested);
    assert.deepEqual((answer.error.data["supported"] as string[]).slice(0, 2), ["2026-07-28", "2025-11-25"]);
  }
});

test("2026-07-28: POST alone, one request at a time, and no session", async () => {
  const gateway = fakeGateway();
  const contexts: ModernContext[] = [];
  gateway.modernFace = async () => ({
    async handle(message, context) {
      contexts.push(context);
      context.emit('{"jsonrpc":"2.0","method":"notifications/progress"}');
      return { text: encodeResult(message.id, "{}"), status: 404 };
    },
  });
  const { ask, post, initialize } = testApp(gateway);
  const session = { "mcp-session-id": await initialize() };
  const modern = { "mcp-protocol-version": "2026-07-28" };
  const claim = { _meta: { "io.modelcontextprotocol/protocolVersion": "2026-07-28" } };
  for (const method of ["GET", "DELETE"]) {
    const response = await ask("/mcp", { method, headers: { ...session, ...modern, accept: bothTypes } });
    assert.deepEqual([response.status, response.headers.get("allow")], [405, "POST"]);
  }
  assert.equal((await post("/mcp", [request(1, "ping")], modern)).status, 400);
  assert.equal((await post("/mcp", { jsonrpc: "2.0", id: 1, result: {} }, modern)).status, 400);
  assert.equal((await post("/mcp", { jsonrpc: "2.0", method: "notifications/x", params: claim }, modern)).status, 202);
  const json = { accept: "application/json" };
  const call = request(7, "tools/call", claim);
  const plain = await post("/mcp/shop", call, { ...modern, ...json });
  assert.deepEqual([plain.status, await plain.json()], [404, { jsonrpc: "2.0", id: 7, result: {} }]);
  const streamed = await (await post("/mcp", call)).text();
  assert.match(streamed, /notifications\/progress.*"id":7/s);
  assert.doesNotMatch(streamed, /^id:/m, "there is nothing to resume");
  assert.deepEqual(
    contexts.map(({ backend, header }) => [backend, header?.("mcp-protocol-version")]),
    [
      ["shop", "2026-07-28"],
      [undefined, null],
    ],
  );
  assert.equal((await post("/mcp", request(8, "subscriptions/listen", claim), json)).status, 406);
});

test("batch: answered as an array up to 2025-03-26, one bad message harms no other", async () => {
  const { post, initialize } = testApp(fakeGateway());
  for (const version of ["2024-11-05", "2025-03-26"]) {
    const session = { "mcp-session-id": await initialize("/mcp", version) };
    const batch = [
      request(1, "ping"),
      { jsonrpc: "2.0", method: "notifications/initialized" },
      { id: "bad" },
      initializeMessage(),
      callTool("two", "echo"),
    ];
    const answers = (await (await post("/mcp", batch, session)).json()) as { id: unknown; error?: { code: number } }[];
    assert.deepEqual(
      answers.map(({ id, error }) => [id, error?.code]),
      [
        [1, undefined],
        ["bad", -32_600],
        ["init", -32_600],
        ["two", undefined],
      ],
    );
    const silent = await post("/mcp", [{ jsonrpc: "2.0", method: "notifications/initialized" }], session);
    assert.equal(silent.status, 202);
    const tooMany = Array.from({ length: 101 }, (_, id) => request(id, "ping"));
    assert.equal((await post("/mcp", tooMany, session)).status, 400);
    assert.equal((await post("/mcp", [], session)).status, 400);
    const streamed = await eventsOf(await post("/mcp", [callTool("n", "noisy"), request(2, "ping")], session));
    assert.deepEqual(
      streamed.map(({ id, method }) => id ?? method),
      ["notifications/progress", "notifications/progress", "n", 2],
    );
  }
});

test("long answers: the same alone, in a batch and as an event, with every character", async () => {
  const { post, initialize } = testApp(fakeGateway());
  const args = { text: `${"long ".repeat(10_000)}日本語 \ud83d\ude00` };
  const session = { "mcp-session-id": await initialize("/mcp", "2025-03-26") };
  const alone = await post("/mcp", callTool("a", "long", args), session);
  assert.deepEqual([alone.status, alone.headers.get("content-type")], [200, "application/json"]);
  assert.ok(alone.headers.get("x-request-id"));
  assert.deepEqual(await alone.json(), { jsonrpc: "2.0", id: "a", result: args });
  for (const short of [[], [callTool(2, "echo", {})]]) {
    const batch = await post("/mcp", [callTool(1, "long", args), ...short, callTool(3, "long", args)], session);
    const answers = (await batch.json()) as { id: number; result: unknown }[];
    assert.equal(answers.length, short.length + 2);
    for (const id of [1, 3]) assert.deepEqual(answers.find((answer) => answer.id === id)?.result, args);
  }
  const asEvent = await post("/mcp", callTool(4, "long", args), { ...session, accept: "text/event-stream" });
  assert.deepEqual((await eventsOf(asEvent)).at(-1), { jsonrpc: "2.0", id: 4, result: args });
});

test("batch: refused from 2025-06-18 on", async () => {
  const { post, initialize } = testApp(fakeGateway());
  const response = await post("/mcp", [request(1, "ping")], {
    "mcp-session-id": await initialize("/mcp", "2025-06-18"),
  });
  assert.equal(response.status, 400);
  assert.match((await errorOf(response)).message, /2025-06-18/);
});

test("post: notifications before the answer make it a stream, where the client takes one", async () => {
  const { post, initialize } = testApp(fakeGateway());
  const session = { "mcp-session-id": await initialize() };
  const streamed = await post("/mcp", callTool(1, "noisy"), session);
  assert.equal(streamed.headers.get("content-type"), "text/event-stream");
  assert.equal(streamed.headers.get("x-accel-buffering"), "no");
  assert.equal(streamed.headers.get("cache-control"), "no-store");
  const events = await eventsOf(streamed);
  assert.deepEqual(
    events.map(({ method, id }) => method ?? id),
    ["notifications/progress", "notifications/progress", 1],
  );
  const plain = await post("/mcp", callTool(2, "noisy"), { ...session, accept: "application/json" });
  assert.equal(plain.headers.get("content-type"), "application/json");
  assert.equal(((await plain.json()) as { id: number }).id, 2);
  const only = await post("/mcp", request(3, "ping"), { ...session, accept: "text/event-stream" });
  assert.deepEqual(await eventsOf(only), [{ jsonrpc: "2.0", id: 3, result: {} }]);
});

test("post: a pretty-printed result survives the stream", async () => {
  const { post, initialize } = testApp(fakeGateway());
  const headers = { "mcp-session-id": await initialize(), accept: "text/event-stream" };
  const text = await (await post("/mcp", callTool(1, "pretty"), headers)).text();
  const data = text.match(/^data: .*$/gm)?.map((line) => line.slice(6)) ?? [];
  assert.ok(data.length > 1);
  assert.deepEqual(JSON.parse(data.join("\n")), { jsonrpc: "2.0", id: 1, result: { content: [] } });
});

test("post: after an interval of silence a stream with comments carries the answer", async () => {
  const clock = new FakeClock();
  const gateway = fakeGateway({ streaming: { keep_alive_interval: "15s" } });
  const { post, initialize } = testApp(gateway, "127.0.0.1", clock);
  const session = { "mcp-session-id": await initialize() };
  const pending = post("/mcp", callTool(1, "wait"), session);
  await settle();
  await clock.advance(15_000);
  const response = await pending;
  assert.equal(response.headers.get("content-type"), "text/event-stream");
  const read = response.text();
  await clock.advance(30_000);
  gateway.release();
  const text = await read;
  assert.equal(text.match(/^: keep-alive$/gm)?.length, 3);
  assert.match(text, /"waited"/);
  // Kept for a client that comes back for it.
  await clock.advance(60_000);
  assert.equal(clock.pending, 0);
});

test("post: an answer in time leaves no timer behind, and a cancelled request ends without one", async () => {
  const clock = new FakeClock();
  const { post, initialize } = testApp(fakeGateway(), "127.0.0.1", clock);
  const session = { "mcp-session-id": await initialize() };
  assert.equal((await post("/mcp", callTool(1, "echo"), session)).status, 200);
  assert.equal((await post("/mcp", callTool(1, "cancelled"), session)).status, 202);
  await clock.advance(15_000);
  assert.equal(clock.pending, 0);
});

test("post: a defect is told with an id and without its text", async () => {
  const { post, initialize } = testApp(fakeGateway());
  const response = await post("/mcp", callTool(1, "boom"), { "mcp-session-id": await initialize() });
  assert.equal(response.status, 500);
  const error = await errorOf(response);
  assert.equal(error.data["code"], "INTERNAL");
  assert.equal(error.data["request_id"], response.headers.get("x-request-id"));
  assert.doesNotMatch(JSON.stringify(error), /a defect/);
});

test("get: the stream carries what was kept and what comes, a second one replaces the first", async () => {
  const gateway = fakeGateway();
  const { ask, initialize } = testApp(gateway);
  const sessionId = await initialize();
  const session = gateway.sessions.find(sessionId, "anonymous", undefined);
  assert.ok(session);
  const headers = { "mcp-session-id": sessionId, accept: "text/event-stream" };
  session.push('{"kept":1}');
  const first = await ask("/mcp", { headers });
  assert.equal(first.status, 200);
  assert.ok(session.streaming);
  session.push('{"live":2}');
  const second = await ask("/mcp", { headers });
  assert.deepEqual(await eventsOf(first), [{ kept: 1 }, { live: 2 }]);
  session.push('{"only":3}');
  assert.ok(session.streaming);
  gateway.sessions.close(sessionId, "anonymous");
  assert.deepEqual(await eventsOf(second), [{ only: 3 }]);
});

test("get: refused without the type, with streaming off, and for resumption", async () => {
  const gateway = fakeGateway();
  const { ask, initialize } = testApp(gateway);
  const headers = { "mcp-session-id": await initialize(), accept: "text/event-stream" };
  assert.equal((await ask("/mcp", { headers: { ...headers, accept: "application/json" } })).status, 406);
  const resumed = await ask("/mcp", { headers: { ...headers, "last-event-id": "5" } });
  assert.equal(resumed.status, 400);
  assert.match((await errorOf(resumed)).message, /can be resumed after that event/);
  gateway.config = { ...gateway.config, streaming: { ...gateway.config.streaming, enabled: false } };
  const off = await ask("/mcp", { headers });
  assert.deepEqual([off.status, off.headers.get("allow")], [405, "POST, DELETE"]);
});

test("get: a client that goes away is detached", async () => {
  const clock = new FakeClock();
  const gateway = fakeGateway();
  const { ask, initialize } = testApp(gateway, "127.0.0.1", clock);
  const sessionId = await initialize();
  const stream = await ask("/mcp", { headers: { "mcp-session-id": sessionId, accept: "text/event-stream" } });
  const session = gateway.sessions.find(sessionId, "anonymous", undefined);
  assert.ok(session?.streaming);
  await stream.body?.cancel();
  assert.equal(session?.streaming, false);
  assert.equal(clock.pending, 0);
});

test("limits and switches follow the configuration in force", async () => {
  const gateway = fakeGateway();
  const { post } = testApp(gateway);
  assert.equal((await post("/mcp", initializeMessage())).status, 200);
  gateway.config = { ...gateway.config, server: { ...gateway.config.server, max_body_size: 10 } };
  assert.equal((await post("/mcp", initializeMessage())).status, 413);
});
