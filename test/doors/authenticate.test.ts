import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { FakeClock } from "../fixtures/fake-clock.ts";
import { type FakeGateway, fakeConfig, fakeGateway } from "./fake-gateway.ts";
import { type Ask, errorOf, initializeMessage, request, testApp } from "./http-client.ts";

const auth = {
  enabled: true,
  bearer_token: "root-token",
  api_keys: [
    { key: "key-a", name: "a", backends: ["one"], allowed_tools: ["read_*"], denied_tools: ["read_secret"] },
    { key: "key-b", backends: ["*"], admin: true },
    { key: "key-slow", name: "slow", rate_limit: 3 },
  ],
};

function setUp(gateway: FakeGateway = fakeGateway({ auth })) {
  const clock = new FakeClock();
  const app = testApp(gateway, "127.0.0.1", clock);
  const status = async (path: string, headers: Record<string, string> = {}, rest: Ask = {}) =>
    (await app.ask(path, { ...rest, headers })).status;
  return { gateway, clock, status, ...app };
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

test("authenticate: without a token every route but the open ones is refused, known or not", async () => {
  const { status, post, gateway } = setUp();
  for (const path of ["/mcp", "/mcp/one", "/sse", "/no-such-route", "/healthy", "/health%2f..%2fmcp"])
    assert.equal(await status(path), 401, path);
  for (const path of ["/health", "/readiness", "/liveness", "/ui/"]) assert.equal(await status(path), 200, path);
  assert.equal(await status("/"), 307);
  const response = await post("/mcp", initializeMessage());
  assert.equal(response.headers.get("www-authenticate"), "Bearer");
  const answer = (await response.json()) as { id: unknown; error: { code: number; message: string } };
  assert.equal(answer.id, null);
  assert.equal(answer.error.code, -32_000);
  assert.equal(answer.error.message, "Missing Authorization header. Use: Authorization: Bearer <token>");
  assert.equal(gateway.seen.length, 0);
});

test("authenticate: a token or key is taken from either header, whatever the case of the scheme", async () => {
  const { status } = setUp();
  for (const headers of [
    bearer("root-token"),
    { authorization: "bearer  key-a" },
    { "x-api-key": "key-b" },
    { authorization: "Basic xyz", "x-api-key": "root-token" },
  ])
    assert.equal(await status("/no-such-route", headers as Record<string, string>), 404, JSON.stringify(headers));
  for (const headers of [bearer("root-toke"), bearer("root-token1"), bearer("ROOT-TOKEN"), { "x-api-key": "" }])
    assert.equal(await status("/no-such-route", headers as Record<string, string>), 401, JSON.stringify(headers));
});

test("authenticate: the word auto is never a token", async () => {
  const { status } = setUp(fakeGateway({ auth: { enabled: true, bearer_token: "auto" } }));
  assert.equal(await status("/mcp", bearer("auto")), 401);
});

test("authenticate: callers carry the rights of their key, and sessions are bound to it", async () => {
  const { initialize, gateway } = setUp();
  const callers = new Map<string, string>();
  for (const key of ["root-token", "key-a", "key-b"]) {
    const sessionId = await initialize("/mcp", undefined, bearer(key));
    const session = [...gateway.sessions.all()].find(({ id }) => id === sessionId);
    callers.set(key, session?.principal ?? "");
  }
  assert.match(callers.get("root-token") ?? "", /^bearer:[0-9a-f]{32}$/);
  assert.match(callers.get("key-a") ?? "", /^key:[0-9a-f]{32}$/);
  assert.notEqual(callers.get("key-a"), callers.get("key-b"));
});

test("authenticate: rights of keys reach the face", async () => {
  const gateway = fakeGateway({ auth });
  const seen: unknown[] = [];
  const { face } = gateway;
  Object.assign(gateway, {
    face: {
      ...face,
      initialize: (params: unknown, context: Parameters<typeof face.initialize>[1]) => {
        seen.push(context.caller);
        return face.initialize(params, context);
      },
    },
  });
  const { initialize } = setUp(gateway);
  for (const key of ["key-a", "key-b", "root-token"]) await initialize("/mcp", undefined, bearer(key));
  const rights = seen.map((caller) => ({ ...(caller as object), principal: "" }));
  assert.deepEqual(rights, [
    {
      principal: "",
      name: "a",
      admin: false,
      backends: ["one"],
      allowedTools: ["read_*"],
      deniedTools: ["read_secret"],
      identity: { issuer: undefined, subject: "key:a", name: "a" },
    },
    { ...rights[1], admin: true, backends: undefined, allowedTools: undefined },
    {
      principal: "",
      name: "bearer",
      admin: true,
      backends: undefined,
      allowedTools: undefined,
      deniedTools: undefined,
    },
  ]);
});

test("authenticate: where gateways share their limits, a key has one for all of them", async () => {
  const waits = [0, 0, 7_500];
  const asked: unknown[] = [];
  const take = async (...what: unknown[]) => {
    asked.push(what);
    return waits.shift();
  };
  const { post } = setUp(Object.assign(fakeGateway({ auth }), { sharedLimits: Promise.resolve({ take }) }));
  const statuses = [];
  for (let count = 0; count < 4; count++) {
    const response = await post("/no-such-route", "{}", bearer("key-slow"));
    statuses.push([response.status, response.headers.get("retry-after")]);
  }
  // The last one when the others are out of reach: then its own count is what there is.
  assert.deepEqual(statuses, [
    [404, null],
    [404, null],
    [429, "8"],
    [404, null],
  ]);
  const [name, rate, burst] = asked[0] as unknown[];
  assert.match(String(name), /^key:key:[0-9a-f]{32}$/);
  assert.deepEqual([rate, burst], [3 / 60, 3]);
  assert.equal((await post("/no-such-route", "{}", bearer("key-slow"))).status, 429);
  assert.equal(asked.length, 4, "what it used up alone is refused without asking");
});

test("authenticate: a key's own rate limit refuses with the time to wait, and refills", async () => {
  const { status, ask, clock } = setUp();
  const headers = bearer("key-slow");
  for (let count = 0; count < 3; count++) assert.equal(await status("/x", headers), 404);
  const refused = await ask("/x", { headers });
  assert.equal(refused.status, 429);
  assert.equal(refused.headers.get("retry-after"), "20");
  assert.equal((await errorOf(refused)).data["code"], "TOO_MANY_ATTEMPTS");
  assert.equal(await status("/x", bearer("key-a")), 404, "other keys are not concerned");
  await clock.advance(20_000);
  assert.equal(await status("/x", headers), 404);
});

test("T21: guessing is refused with 429 after ten wrong tokens, right ones from there included", async () => {
  const { status, ask, clock } = setUp();
  for (let guess = 0; guess < 10; guess++) assert.equal(await status("/mcp", bearer(`guess-${guess}`)), 401);
  const eleventh = await ask("/mcp", { headers: bearer("guess-10") });
  assert.equal(eleventh.status, 429);
  assert.ok(Number(eleventh.headers.get("retry-after")) > 0);
  assert.equal(await status("/x", bearer("root-token")), 429);
  assert.equal(await status("/health", bearer("root-token")), 429, "a public path is no way round");
  assert.equal(
    await status("/x", bearer("root-token"), { address: "10.0.0.9" }),
    404,
    "other addresses are not concerned",
  );
  await clock.advance(60_000);
  assert.equal(await status("/x", bearer("root-token")), 404);
});

test("T21: a client that repeats one wrong token is slowed down and locks nobody out", async () => {
  const { status } = setUp();
  const statuses = [];
  for (let count = 0; count < 30; count++) statuses.push(await status("/mcp", bearer("old-token")));
  assert.deepEqual([...new Set(statuses)], [401, 429]);
  assert.equal(await status("/x", bearer("root-token")), 404);
  for (let count = 0; count < 30; count++) assert.equal(await status("/mcp"), 401, "no token is no guess");
});

test("T21: no secret is compared by anything but its digest, in constant time", async () => {
  for (const file of ["authenticate", "key-table", "failed-attempts"]) {
    const source = await readFile(new URL(`../../src/doors/http/${file}.ts`, import.meta.url), "utf8");
    assert.doesNotMatch(source, /(token|digest|\bkey|secret)\w*\s*[!=]==(?!\s*(undefined|"auto"))/i, file);
    assert.doesNotMatch(source, /\.(startsWith|includes|indexOf|has)\((token|digest|secret)/, file);
  }
  const digest = await readFile(new URL("../../src/runtime/digest.ts", import.meta.url), "utf8");
  assert.match(digest, /timingSafeEqual\(a, b\)/);
});

test("authenticate: public paths open whole segments, for a caller who is told little", async () => {
  const { status, post } = setUp(fakeGateway({ auth: { ...auth, public_paths: ["/mcp/open", "/health"] } }));
  assert.equal((await post("/mcp/open", initializeMessage())).status, 200);
  assert.equal((await post("/mcp/open/below", initializeMessage())).status, 200);
  assert.equal((await post("/mcp/opened", initializeMessage())).status, 401);
  assert.equal(await status("/mcp/open", bearer("wrong")), 401, "a token that is shown is checked");
});

test("authenticate: a reload changes who may come in, and not what they have used up", async () => {
  const { status, gateway } = setUp();
  for (let count = 0; count < 3; count++) await status("/x", bearer("key-slow"));
  gateway.config = fakeConfig({ auth: { ...auth, bearer_token: "new-token" } });
  assert.equal(await status("/x", bearer("root-token")), 401);
  assert.equal(await status("/x", bearer("new-token")), 404);
  assert.equal(await status("/x", bearer("key-slow")), 429);
});

test("authenticate: another rate does not give back what was used up", async () => {
  const { status, gateway } = setUp();
  for (let count = 0; count < 3; count++) await status("/x", bearer("key-slow"));
  gateway.config = fakeConfig({ auth: { ...auth, api_keys: [{ key: "key-slow", rate_limit: 4 }] } });
  assert.equal(await status("/x", bearer("key-slow")), 404);
  assert.equal(await status("/x", bearer("key-slow")), 429);
});

test("request ids are honoured when fit for a log line, else made", async () => {
  const { ask, post } = setUp(fakeGateway());
  const idOf = async (sent: string) =>
    (await ask("/liveness", { headers: { "x-request-id": sent } })).headers.get("x-request-id");
  assert.equal(await idOf("abc-DEF_1.2"), "abc-DEF_1.2");
  for (const bad of ["a b", "x".repeat(65), "é", "a\tb", ""]) assert.notEqual(await idOf(bad), bad);
  const [one, two] = [await idOf("?"), await idOf("?")];
  assert.notEqual(one, two);
  const error = await post("/mcp", request(1, "ping"), { "x-request-id": "mine" });
  assert.equal((await errorOf(error)).data["request_id"], "mine");
});
