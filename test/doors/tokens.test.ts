/** Access tokens that others issue: what is let in, with which rights, and what is told to whom is not. */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { exportJWK, exportSPKI, generateKeyPair, type JWTPayload, SignJWT } from "jose";
import type { Caller } from "../../src/core/caller.ts";
import { FakeClock } from "../fixtures/fake-clock.ts";
import { fakeConfig, fakeGateway } from "./fake-gateway.ts";
import { bothTypes, errorOf, testApp } from "./http-client.ts";

const audience = "https://gateway.test/mcp";
const secret = "a secret of at least thirty-two bytes";

type Pair = Awaited<ReturnType<typeof generateKeyPair>>;
const pairs: Record<string, Pair> = {};
let issuer = "";
let close = () => {};
/** What the issuer serves as its keys, and how often it was asked. */
let served: unknown;
let asked: string[] = [];
let metadata: Record<string, unknown> = {};

before(async () => {
  for (const alg of ["RS256", "ES256", "EdDSA"]) pairs[alg] = await generateKeyPair(alg, { extractable: true });
  pairs["other"] = await generateKeyPair("ES256", { extractable: true });
  const server = createServer((request, response) => {
    asked.push(request.url ?? "");
    if (request.url === "/moved") return void response.writeHead(302, { location: "/keys" }).end();
    const value = request.url === "/keys" ? served : { issuer, jwks_uri: `${issuer}/keys`, ...metadata };
    response.setHeader("content-type", "application/json");
    response.end(typeof value === "string" ? value : JSON.stringify(value));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  issuer = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
  close = () => void server.close();
  served = await keySet("RS256", "ES256", "EdDSA");
});
after(() => close());

async function keySet(...names: string[]) {
  const keys = names.map(async (kid) => ({ ...(await exportJWK(pairs[kid]!.publicKey)), kid }));
  return { keys: await Promise.all(keys) };
}

interface Signing {
  readonly alg?: string;
  readonly key?: CryptoKey | Uint8Array;
  readonly kid?: string | undefined;
  /** Seconds from now. */
  readonly expires?: number;
}

function sign(claims: JWTPayload = {}, { alg = "ES256", key, kid = alg, expires = 300 }: Signing = {}) {
  const token = new SignJWT({ iss: issuer, sub: "ada", aud: audience, groups: ["staff"], ...claims });
  token.setProtectedHeader({ alg, kid }).setExpirationTime(Math.floor(Date.now() / 1_000) + expires);
  return token.sign(key ?? pairs[alg]!.privateKey);
}

const rules = [
  { claim: "groups", value: "ops-*", backends: ["*"], admin: true },
  { claim: "groups", value: "staff", backends: ["one"], allowed_tools: ["read_*"], denied_tools: ["read_secret"] },
];

function setUp(settings: Record<string, unknown> = {}, sections: { server?: object; auth?: object } = {}) {
  asked = [];
  metadata = {};
  const server = { public_url: "https://gateway.test", ...sections.server };
  const auth = { enabled: true, issuers: [{ issuer, rules, ...settings }], ...sections.auth };
  const gateway = fakeGateway({ server, auth });
  const seen: Caller[] = [];
  const { initialize } = gateway.face;
  gateway.face.initialize = (params, context) => {
    seen.push(context.caller);
    return initialize(params, context);
  };
  const clock = new FakeClock();
  const app = testApp(gateway, "127.0.0.1", clock);
  const refusal = async (token: string, address?: string) => {
    const response = await app.ask("/x", { headers: bearer(token), ...(address && { address }) });
    return { status: response.status, message: (await errorOf(response)).message, response };
  };
  return { gateway, clock, seen, refusal, ...app };
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

test("tokens: signatures by RSA, elliptic curves and Ed25519 are checked with the issuer's published keys", async () => {
  const { refusal } = setUp();
  for (const alg of ["RS256", "ES256", "EdDSA"])
    assert.equal((await refusal(await sign({}, { alg }))).status, 404, alg);
  assert.deepEqual(asked, ["/.well-known/openid-configuration", "/keys"], "found once, by the metadata");
});

test("tokens: callers get the rights of the first rule that fits, and nothing without one", async () => {
  const { initialize, refusal, seen } = setUp();
  await initialize("/mcp", undefined, bearer(await sign({ groups: ["x", "ops-eu"], sub: "root" })));
  await initialize("/mcp", undefined, bearer(await sign()));
  const [admin, staff] = seen;
  assert.equal(admin?.admin, true);
  assert.equal(admin?.backends, undefined);
  const { principal, validUntil, ...rights } = staff as Caller;
  assert.match(principal, /^jwt:[0-9a-f]{16}:[0-9a-f]{32}$/);
  assert.ok((validUntil ?? 0) > Date.now());
  const expected = {
    name: "ada",
    admin: false,
    backends: ["one"],
    allowedTools: ["read_*"],
    deniedTools: ["read_secret"],
    identity: { issuer, subject: "ada", groups: ["staff"] },
  };
  assert.deepEqual(rights, expected);
  const { status, message } = await refusal(await sign({ groups: [] }));
  assert.equal(status, 403);
  assert.match(message, /no rule gives it any rights/);
});

test("tokens: a rule without backends gives none", async () => {
  const { initialize, seen } = setUp({ rules: [{}] });
  await initialize("/mcp", undefined, bearer(await sign()));
  assert.deepEqual(seen[0]?.backends, []);
  assert.equal(seen[0]?.admin, false);
});

test("tokens: claims are found by their whole name, by a path, and in lists of scopes", async () => {
  for (const [claim, value, claims] of [
    ["https://x.test/role", "admin", { "https://x.test/role": "admin" }],
    ["realm_access.roles", "mcp", { realm_access: { roles: ["a", "mcp"] } }],
    ["scope", "mcp:*", { scope: "openid mcp:read" }],
    ["scp", "read", { scp: ["read"] }],
  ] as const) {
    const { refusal } = setUp({ rules: [{ claim, value, backends: ["*"] }] });
    assert.equal((await refusal(await sign(claims as JWTPayload))).status, 404, claim);
    assert.equal((await refusal(await sign())).status, 403, claim);
  }
  const { refusal } = setUp({ rules: [{ claim: "constructor.name" }, { claim: "groups.length", value: "1" }] });
  assert.equal((await refusal(await sign())).status, 403);
});

test("tokens: what is wrong with a token is refused and said", async () => {
  const { refusal } = setUp();
  const publicPem = new TextEncoder().encode(await exportSPKI(pairs["RS256"]!.publicKey));
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const claims = { iss: issuer, sub: "ada", aud: audience, exp: Date.now() / 1_000 + 300 };
  const good = await sign();
  const tampered = good
    .split(".")
    .with(1, part({ ...claims, groups: ["ops-eu"] }))
    .join(".");
  const bad: [string, string | Promise<string>, RegExp][] = [
    ["another audience", sign({ aud: "https://other.test" }), /"aud"/],
    ["no audience", sign({ aud: undefined as never }), /"aud"/],
    ["another issuer", sign({ iss: "https://other.test" }), /no issuer/],
    ["no issuer", sign({ iss: undefined as never }), /no issuer/],
    ["expired", sign({}, { expires: -60 }), /expired/],
    ["not yet good", sign({ nbf: Math.floor(Date.now() / 1_000) + 120 }), /"nbf"/],
    ["nobody's", sign({ sub: undefined as never }), /"sub"/],
    ["signed by another key", sign({}, { key: pairs["other"]!.privateKey }), /signature/],
    ["changed", tampered, /signature/],
    ["algorithm none", `${part({ alg: "none" })}.${part(claims)}.`, /algorithm/],
    ["the public key as a secret", sign({}, { alg: "HS256", kid: "RS256", key: publicPem }), /algorithm/],
    ["huge", `${good}${"A".repeat(9_000)}`, /longer than/],
    ["nonsense", "eyJ.e30.x", /well-formed/],
    ["a list", `${part([1]).replace(/^./, "e")}.${part([2])}.x`, /not valid|well-formed/],
  ];
  for (const [index, [name, token, says]] of bad.entries()) {
    const { status, message } = await refusal(await token, `10.0.0.${index}`);
    assert.equal(status, 401, name);
    assert.match(message, says, name);
  }
  assert.equal((await refusal(good)).status, 404);
  assert.equal((await refusal(await sign({}, { expires: -10 }))).status, 404, "clocks differ");
});

test("tokens: a shared secret takes HS256 and nothing else", async () => {
  const { refusal } = setUp({ secret });
  const key = new TextEncoder().encode(secret);
  assert.equal((await refusal(await sign({}, { alg: "HS256", key }))).status, 404);
  assert.equal((await refusal(await sign({}, { alg: "HS256", key: key.slice(1) }))).status, 401);
  assert.equal((await refusal(await sign())).status, 401);
  assert.deepEqual(asked, []);
  const short = setUp({ secret: "short" });
  const signed = await sign({}, { alg: "HS256", key: new TextEncoder().encode("short") });
  assert.equal((await short.refusal(signed)).status, 401, "a secret that can be guessed is none");
});

test("tokens: one public key in PEM form will do", async () => {
  const { refusal } = setUp({ public_key: await exportSPKI(pairs["ES256"]!.publicKey) });
  assert.equal((await refusal(await sign())).status, 404);
  assert.equal((await refusal(await sign({}, { alg: "RS256" }))).status, 401);
  assert.deepEqual(asked, []);
});

test("tokens: keys are fetched again for an unknown id, but not as often as somebody makes ids up", async () => {
  const { refusal, clock } = setUp({ jwks_uri: `${issuer}/keys` });
  try {
    served = await keySet("RS256");
    assert.equal((await refusal(await sign({}, { alg: "RS256" }))).status, 404);
    served = await keySet("RS256", "ES256");
    for (let at = 0; at < 5; at++) {
      const { status } = await refusal(await sign({ jti: String(at) }, { kid: `made-up-${at}` }), `10.0.1.${at}`);
      assert.equal(status, 401);
    }
    assert.deepEqual(asked, ["/keys"]);
    await clock.advance(30_000);
    assert.equal((await refusal(await sign())).status, 404, "the issuer has changed its keys");
    assert.deepEqual(asked, ["/keys", "/keys"]);
    served = await keySet("RS256");
    const token = await sign();
    await clock.advance(600_001);
    assert.equal((await refusal(token)).status, 401, "a key that was withdrawn is not good for ever");
  } finally {
    served = await keySet("RS256", "ES256", "EdDSA");
  }
});

test("tokens: keys that cannot be had are the gateway's trouble, not the caller's, and say nothing of addresses", async () => {
  for (const [path, keys] of [
    ["/keys", `{"keys":[${" ".repeat(300_000)}]}`],
    ["/keys", "no JSON"],
    ["/keys", { keys: "none" }],
    ["/moved", undefined],
  ] as const) {
    const { refusal } = setUp({ jwks_uri: `${issuer}${path}` });
    const before = served;
    served = keys ?? before;
    try {
      const { status, message } = await refusal(await sign());
      assert.equal(status, 502);
      assert.ok(!message.includes(path), message);
    } finally {
      served = before;
    }
  }
});

test("tokens: metadata of another issuer is not believed", async () => {
  const { refusal } = setUp();
  metadata = { issuer: "https://evil.test" };
  assert.equal((await refusal(await sign())).status, 502);
  assert.ok(!asked.includes("/keys"));
});

test("tokens: a session goes on with the next token of the same caller, and is nobody else's", async () => {
  const { initialize, post } = setUp();
  const sessionId = await initialize("/mcp", undefined, bearer(await sign()));
  const ping = async (claims: JWTPayload) =>
    (
      await post(
        "/mcp",
        { jsonrpc: "2.0", id: 1, method: "ping" },
        { ...bearer(await sign(claims)), "mcp-session-id": sessionId, "mcp-protocol-version": "2025-11-25" },
      )
    ).status;
  assert.equal(await ping({ jti: "2" }), 200);
  assert.equal(await ping({ sub: "eve" }), 404);
});

test("tokens: rights follow a reload, and a token of an issuer that is gone is refused", async () => {
  const { gateway, initialize, seen, refusal } = setUp();
  const token = await sign();
  const reload = (settings: object) => {
    const server = { public_url: "https://gateway.test" };
    gateway.config = fakeConfig({ server, auth: { enabled: true, api_keys: [{ key: "k" }], ...settings } });
  };
  await initialize("/mcp", undefined, bearer(token));
  reload({ issuers: [{ issuer, rules: [{ backends: ["two"] }] }] });
  await initialize("/mcp", undefined, bearer(token));
  assert.deepEqual(seen[1]?.backends, ["two"]);
  reload({ issuers: [{ issuer, rules, audiences: ["https://new.test"] }] });
  assert.equal((await refusal(token)).status, 401);
  reload({ issuers: [] });
  assert.equal((await refusal(token)).status, 401);
});

test("tokens: an open stream ends with the token it was opened with", async () => {
  const { ask, initialize, clock } = setUp();
  const headers = bearer(await sign({}, { expires: 60 }));
  const sessionId = await initialize("/mcp", undefined, headers);
  const response = await ask("/mcp", { headers: { ...headers, accept: bothTypes, "mcp-session-id": sessionId } });
  const ended = response.text();
  const legacy = await ask("/sse", { headers: { ...headers, accept: bothTypes } });
  const legacyEnded = legacy.text();
  await clock.advance(91_000);
  assert.ok(!(await ended).includes("event: message"));
  assert.match(await legacyEnded, /event: endpoint/);
});

test("tokens: expired ones are no guesses, forged ones are", async () => {
  const { refusal } = setUp();
  const old = await Promise.all(Array.from({ length: 12 }, (_, at) => sign({ jti: String(at) }, { expires: -60 })));
  for (const token of old) assert.equal((await refusal(token)).status, 401);
  assert.equal((await refusal(await sign())).status, 404);
  for (let at = 0; at < 11; at++) await refusal(await sign({ jti: String(at) }, { key: pairs["other"]!.privateKey }));
  assert.equal((await refusal(await sign({ jti: "new" }))).status, 429);
  assert.equal((await refusal(await sign({ jti: "new" }), "10.0.0.1")).status, 404, "others are not concerned");
});

test("protected resource: metadata names the issuers and scopes, and refusals say where it is", async () => {
  const { ask, refusal } = setUp(
    { required_scopes: ["mcp:use"] },
    { server: { public_url: "https://gateway.test/in" } },
  );
  const open = await ask("/.well-known/oauth-protected-resource/mcp");
  assert.deepEqual(await open.json(), {
    resource: "https://gateway.test/in/mcp",
    authorization_servers: [issuer],
    bearer_methods_supported: ["header"],
    scopes_supported: ["mcp:use"],
    resource_name: "MCP Gateway",
  });
  const whole = (await (await ask("/.well-known/oauth-protected-resource")).json()) as { resource: string };
  assert.equal(whole.resource, "https://gateway.test/in");
  const address = 'resource_metadata="https://gateway.test/.well-known/oauth-protected-resource/in/mcp"';
  const challenge = (response: Response) => response.headers.get("www-authenticate");
  assert.equal(challenge(await ask("/mcp")), `Bearer scope="mcp:use", ${address}`);
  const aud = "https://gateway.test/in/mcp";
  const wrong = await refusal(await sign());
  assert.equal(challenge(wrong.response), `Bearer error="invalid_token", scope="mcp:use", ${address}`);
  const lacking = await refusal(await sign({ aud }));
  assert.equal(lacking.status, 403);
  assert.equal(challenge(lacking.response), `Bearer error="insufficient_scope", scope="mcp:use", ${address}`);
  assert.equal((await refusal(await sign({ aud, scope: "a mcp:use" }))).status, 404);
});

test("protected resource: without an address of its own the gateway says so, without issuers there is nothing to say", async () => {
  const audiences = [audience];
  const path = "/.well-known/oauth-protected-resource/mcp";
  const local = setUp({ audiences }, { server: { public_url: undefined } });
  assert.equal(((await (await local.ask(path)).json()) as { resource: string }).resource, "http://localhost/mcp");
  const unknown = setUp({ audiences }, { server: { public_url: undefined, host: "0.0.0.0" } });
  assert.equal((await unknown.ask(path)).status, 503);
  const none = setUp({}, { auth: { issuers: [], api_keys: [{ key: "k" }] } });
  assert.equal((await none.ask(path)).status, 404);
  assert.equal((await none.ask("/mcp")).headers.get("www-authenticate"), "Bearer");
});

test("Basic: a user comes in by name and password, and only where users are configured", async () => {
  const users = [{ name: "ada", password: "päss:word", backends: ["one"] }];
  const { initialize, ask, seen } = setUp({}, { auth: { issuers: [], users } });
  const basic = (text: string) => ({ authorization: `Basic ${Buffer.from(text).toString("base64")}` });
  await initialize("/mcp", undefined, basic("ada:päss:word"));
  assert.equal(seen[0]?.name, "ada");
  assert.match(seen[0]?.principal ?? "", /^user:/);
  assert.deepEqual(seen[0]?.backends, ["one"]);
  for (const wrong of ["ada:", "ada", "eve:päss:word", "ada:päss:word2"]) {
    const response = await ask("/x", { headers: basic(wrong) });
    assert.equal(response.status, 401, wrong);
    assert.match(response.headers.get("www-authenticate") ?? "", /Basic realm="MCP Gateway"/);
  }
  const asToken = { authorization: "Bearer ada:päss:word".replaceAll("ä", "a") };
  assert.equal((await ask("/x", { headers: asToken })).status, 401);
});
