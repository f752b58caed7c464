/** What is told of callers: keys and their file, the exchange of tokens, and sessions of each caller's own. */
import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { createLocalJWKSet, decodeProtectedHeader, jwtVerify } from "jose";
import type { Attachment, RpcRequest } from "../../src/core/call.ts";
import { silentLogger } from "../../src/core/log.ts";
import type { Connection } from "../../src/core/upstream.ts";
import { Cancellation } from "../../src/lib/cancellation.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { httpConnect } from "../../src/upstreams/http/connect-http.ts";
import { AssertionKeys } from "../../src/upstreams/identity/assertion-keys.ts";
import { perCallerConnect } from "../../src/upstreams/identity/per-caller-connect.ts";
import { TokenExchange, type TokenExchangeOptions } from "../../src/upstreams/identity/token-exchange.ts";
import { FakeClock, settle } from "../fixtures/fake-clock.ts";
import { openExchangeServer, openTokenIssuer, openWhoServer, type Who } from "../fixtures/identity-world.ts";

const dayMs = 86_400_000;

async function inFolder(work: (file: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "mcp-identity-"));
  try {
    await work(join(folder, "state", "keys.json"));
  } finally {
    chmodSync(folder, 0o700);
    rmSync(folder, { recursive: true, force: true });
  }
}

function keysIn(path: string | undefined, now = () => Date.now()) {
  const problems: unknown[] = [];
  return { keys: new AssertionKeys({ path, now, onProblem: (error) => problems.push(error) }), problems };
}

test("AssertionKeys: what is signed is verified with what is published, by another key holder of the same file too", () =>
  inFolder(async (path) => {
    const { keys } = keysIn(path);
    const [token, published] = await Promise.all([keys.sign({ sub: "ada" }), keys.published()]);
    assert.equal(published.keys.length, 1, "one key, however many ask at once");
    const [key] = published.keys;
    assert.deepEqual(Object.keys(key ?? {}).sort(), ["alg", "crv", "kid", "kty", "use", "x", "y"]);
    assert.deepEqual(decodeProtectedHeader(token), { alg: "ES256", typ: "JWT", kid: key?.kid });
    assert.equal((await jwtVerify(token, createLocalJWKSet(published))).payload.sub, "ada");
    assert.deepEqual(await keysIn(path).keys.published(), published);
    if (process.platform !== "win32") assert.equal(statSync(path).mode & 0o777, 0o600);
  }));

test("AssertionKeys: an old key is replaced, and published until what it signed has ended", () =>
  inFolder(async (path) => {
    let now = 1_000_000;
    const { keys } = keysIn(path, () => now);
    const [first] = (await keys.published()).keys;
    now += 30 * dayMs;
    const [second, retired, ...none] = (await keys.published()).keys;
    assert.notEqual(second?.kid, first?.kid);
    assert.deepEqual([retired, none], [first, []]);
    assert.equal(decodeProtectedHeader(await keys.sign({})).kid, second?.kid);
    assert.ok(!readFileSync(path, "utf8").includes('"d":', readFileSync(path, "utf8").indexOf('"d":') + 1));
    now += 359_000;
    assert.equal((await keysIn(path, () => now).keys.published()).keys.length, 2, "by the next process as well");
    now += 1_000;
    assert.equal((await keys.published()).keys.length, 1);
  }));

test("AssertionKeys: a file that is none of ours is replaced; one that cannot be written is said and done without", () =>
  inFolder(async (path) => {
    await keysIn(path).keys.published();
    const good = JSON.parse(readFileSync(path, "utf8"));
    const [{ jwk }] = good.keys;
    for (const bad of ["", "{", "[]", '{"version":1,"keys":[null]}', JSON.stringify({ ...good, version: 2 })]) {
      writeFileSync(path, bad);
      assert.notEqual((await keysIn(path).keys.published()).keys[0]?.kid, jwk.kid, bad);
    }
    const { keys, problems } = keysIn(join(path, "in-a-file"));
    const [key] = (await keys.published()).keys;
    assert.equal(decodeProtectedHeader(await keys.sign({})).kid, key?.kid);
    assert.equal(problems.length, 1);
    assert.equal((await keysIn(undefined).keys.published()).keys.length, 1);
  }));

async function exchanging(
  work: (world: {
    exchange: TokenExchange;
    server: Awaited<ReturnType<typeof openExchangeServer>>;
    clock: FakeClock;
    token(subject: string): Promise<string>;
  }) => Promise<void>,
  more: (url: string) => Partial<TokenExchangeOptions> = () => ({}),
): Promise<void> {
  const issuer = await openTokenIssuer();
  const server = await openExchangeServer();
  const clock = new FakeClock();
  const redact = (text: string) => text;
  const endpoint = new URL(server.url);
  const exchange = new TokenExchange({ server: "s", endpoint, scope: undefined, clock, redact, ...more(server.url) });
  try {
    await work({ exchange, server, clock, token: (subject) => issuer.token(subject) });
  } finally {
    issuer.close();
    server.close();
  }
}

test("TokenExchange: asks as RFC 8693 has it, with client credentials out of the address", () =>
  exchanging(
    async ({ exchange, server, token }) => {
      const subject = await token("ada");
      assert.equal(await exchange.tokenFor(subject), "opaque~ada~1");
      assert.deepEqual(server.asked, [
        {
          authorization: `Basic ${btoa("id:s:cret")}`,
          grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
          subject_token: subject,
          subject_token_type: "urn:ietf:params:oauth:token-type:access_token",
          requested_token_type: "urn:ietf:params:oauth:token-type:access_token",
          audience: "api",
          scope: "read write",
        },
      ]);
    },
    (url) => ({ endpoint: new URL(url.replace("//", "//id:s%3Acret@")), audience: "api", scope: "read write" }),
  ));

test("TokenExchange: one question for all who ask at once, and none again until shortly before the end", () =>
  exchanging(async ({ exchange, server, clock, token }) => {
    const [ada, eve] = [await token("ada"), await token("eve")];
    const tokens = await Promise.all([ada, eve, ada, ada, eve].map((one) => exchange.tokenFor(one)));
    assert.deepEqual(
      tokens.map((one) => one.split("~")[1]),
      ["ada", "eve", "ada", "ada", "eve"],
    );
    assert.equal(server.asked.length, 2);
    await clock.advance(3_569_000);
    await exchange.tokenFor(ada);
    assert.equal(server.asked.length, 2);
    await clock.advance(1_000);
    await exchange.tokenFor(ada);
    assert.equal(server.asked.length, 3);
    exchange.forget(ada);
    await exchange.tokenFor(ada);
    assert.equal(server.asked.length, 4);
    await exchange.tokenFor(await token("zoe"), 5_000);
    await clock.advance(5_000);
    await exchange.tokenFor(await token("zoe"), 5_000);
    assert.equal(server.asked.length, 6, "never longer than the token it came from");
  }));

test("TokenExchange: a refusal is the caller's, a failure the exchange's, and neither is remembered", () =>
  exchanging(async ({ exchange, server, token }) => {
    const subject = await token("ada");
    const refusal = (status: number, body: unknown) => {
      server.respond = () => ({ status, body });
      return exchange.tokenFor(subject).catch((error) => error);
    };
    const denied = await refusal(400, { error: "invalid_grant", error_description: `expired: ${subject}` });
    assert.equal(denied.code, "FORBIDDEN");
    assert.equal(denied.message, 'The token exchange for server "s" was refused: invalid_grant: expired: [redacted]');
    assert.match((await refusal(401, { error: "invalid_client" })).hint, /operator sets/);
    for (const [status, body, code] of [
      [503, "busy", "UPSTREAM_START_FAILED"],
      [429, { error: "slow_down" }, "UPSTREAM_START_FAILED"],
      [302, "", "UPSTREAM_START_FAILED"],
      [200, "no JSON", "UPSTREAM_START_FAILED"],
      [200, "x".repeat(70_000), "UPSTREAM_START_FAILED"],
      [200, { access_token: "a", token_type: "DPoP" }, "UPSTREAM_PROTOCOL"],
      [200, { access_token: "a\r\nx-b: c", token_type: "Bearer" }, "UPSTREAM_PROTOCOL"],
      [200, { token_type: "Bearer" }, "UPSTREAM_PROTOCOL"],
    ] as const) {
      const error = await refusal(status, body);
      assert.equal(error.code, code, `${status} ${JSON.stringify(body).slice(0, 60)}`);
      assert.ok(!error.message.includes(subject));
    }
    server.respond = undefined;
    assert.match(await exchange.tokenFor(subject), /^opaque~ada/);
  }));

test("TokenExchange: of very many callers the oldest are forgotten", () =>
  exchanging(async ({ exchange, server, token }) => {
    const first = await token("first");
    await exchange.tokenFor(first);
    for (let at = 0; at < 1_000; at += 100)
      await Promise.all(Array.from({ length: 100 }, async (_, more) => exchange.tokenFor(await token(`${at + more}`))));
    const { length } = server.asked;
    await exchange.tokenFor(await token("last"));
    await exchange.tokenFor(first);
    assert.equal(server.asked.length, length + 2);
  }));

const never = new Cancellation();

async function perCaller(
  work: (world: {
    who(caller: string | undefined, more?: Partial<RpcRequest>): Promise<Who>;
    server: Awaited<ReturnType<typeof openWhoServer>>;
    clock: FakeClock;
    connection: Connection;
  }) => Promise<void>,
): Promise<void> {
  const server = await openWhoServer();
  const clock = new FakeClock();
  const settings = { name: "who", maxResultBytes: 100_000, clock, log: silentLogger, url: server.url, headers: {} };
  const own = httpConnect({ ...settings, attached: async () => ({ headers: {}, query: {} }) });
  const connect = perCallerConnect(own, {
    name: "who",
    startTimeoutMs: 5_000,
    clock,
    connect: (attachment) => httpConnect({ ...settings, clock: systemClock, attached: attachment }),
  });
  const connection = await connect(never, { onNotification() {} });
  let renewals = 0;
  const attachedOf = (caller: string): Attachment => ({
    headers: { authorization: `Bearer opaque~${caller}~0` },
    query: {},
    holder: {
      key: caller,
      attachment: async () => ({ headers: { authorization: `Bearer opaque~${caller}~${++renewals}` }, query: {} }),
    },
  });
  const who = async (caller: string | undefined, more: Partial<RpcRequest> = {}) => {
    const attached = caller === undefined ? undefined : attachedOf(caller);
    const request = { method: "tools/call", params: { name: "who" }, signal: never, attached, ...more };
    const answer = await connection.request(request);
    const [content] = (answer.value["content"] ?? []) as unknown as { text: string }[];
    return JSON.parse(content?.text ?? "{}") as Who;
  };
  try {
    await work({ who, server, clock, connection });
  } finally {
    await connection.close();
    await server.close();
  }
}

test("perCallerConnect: each caller has a session of his own, and the gateway's is for what has none", () =>
  perCaller(async ({ who, server }) => {
    const callers = ["ada", "eve", undefined, "ada", "eve", "ada"];
    const answers = await Promise.all(callers.map((caller) => who(caller)));
    for (const [at, caller = "nobody"] of callers.entries())
      assert.deepEqual([answers[at]?.caller, answers[at]?.owner], [caller, caller]);
    assert.equal(server.sessions.size, 3);
    assert.deepEqual(await who("ada", { method: "resources/subscribe", params: { uri: "x:y" } }), {});
    const { headers } = server.requests.at(-1) as (typeof server.requests)[number];
    assert.equal(headers["authorization"], undefined, "watching is the gateway's own");
  }));

test("perCallerConnect: a session that nobody used for five minutes is ended, by its own caller's word", () =>
  perCaller(async ({ who, server, clock }) => {
    const [ada, eve] = [await who("ada"), await who("eve")];
    await clock.advance(200_000);
    assert.equal((await who("eve")).session, eve.session);
    await clock.advance(100_000);
    while (server.ended.length === 0) await settle();
    assert.deepEqual(server.ended, [ada.session]);
    const goodbye = server.requests.findLast(({ method }) => method === "DELETE");
    assert.match(goodbye?.headers["authorization"] ?? "", /~ada~/);
    assert.equal((await who("eve")).session, eve.session);
    assert.notEqual((await who("ada")).session, ada.session);
  }));

test("perCallerConnect: a session the server forgot is made anew for the same caller", () =>
  perCaller(async ({ who, server }) => {
    const before = await who("ada");
    server.forget();
    const after = await who("ada");
    assert.deepEqual([after.caller, after.owner], ["ada", "ada"]);
    assert.notEqual(after.session, before.session);
  }));

test("perCallerConnect: who was refused may come again at once, and nobody else is held up", () =>
  perCaller(async ({ who, server }) => {
    server.refused.add("ada");
    for (const _ of [1, 2]) await assert.rejects(who("ada"), { code: "UPSTREAM_START_FAILED" });
    assert.equal((await who("eve")).owner, "eve");
    server.refused.clear();
    assert.equal((await who("ada")).owner, "ada");
  }));

test("perCallerConnect: a hundred callers have sessions, and the one least recently seen makes room", () =>
  perCaller(async ({ who, server }) => {
    const first = await who("0");
    for (let at = 1; at < 100; at += 33)
      await Promise.all(Array.from({ length: 33 }, (_, more) => who(`${at + more}`)));
    assert.equal((await who("0")).session, first.session);
    await who("one more");
    while (server.ended.length === 0) await settle();
    assert.equal(server.ended.length, 1);
    assert.equal((await who("0")).session, first.session);
  }));

test("perCallerConnect: with the connection, every session is over", () =>
  perCaller(async ({ who, server, connection }) => {
    const { session } = await who("ada");
    await connection.close();
    assert.ok(server.ended.includes(session));
    assert.equal(server.ended.length, 2);
  }));
