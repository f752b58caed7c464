/** ID tokens for gateway tokens: who gets which, for how long, how they are taken back, and what is never given. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { generateKeyPair, type JWTPayload } from "jose";
import type { Caller } from "../../src/core/caller.ts";
import { mayUseServer, mayUseTool } from "../../src/core/scope.ts";
import { IssuedTokens } from "../../src/doors/key-server/issued-tokens.ts";
import type { JsonObject } from "../../src/lib/json.ts";
import { FakeClock } from "../fixtures/fake-clock.ts";
import { startTokenIssuer, type TokenIssuer } from "../fixtures/token-issuer.ts";
import { fakeConfig, fakeGateway } from "./fake-gateway.ts";
import { initializeMessage, testApp } from "./http-client.ts";

let provider: TokenIssuer;
before(async () => {
  provider = await startTokenIssuer();
});
after(() => provider.close());

const exchangeGrant = "urn:ietf:params:oauth:grant-type:token-exchange";
const idTokenType = "urn:ietf:params:oauth:token-type:id_token";
const formType = { "content-type": "application/x-www-form-urlencoded" };
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const staff = {
  match: { group: "staff" },
  scopes: { backends: ["git*", "notes"], tools: ["read_*", "notes:add"], rate_limit: 0 },
};

function sectionsOf(settings: object = {}, auth: object = {}) {
  const oidc = [{ issuer: provider.issuer, audiences: ["client-1"] }];
  const key_server = { enabled: true, oidc, policies: [staff], admin_token: "root-of-keys", ...settings };
  return { auth: { enabled: true, ...auth }, key_server, server: { public_url: "https://gateway.test" } };
}

function setUp(settings: object = {}, auth: object = {}) {
  const clock = new FakeClock();
  const gateway = fakeGateway(sectionsOf(settings, auth));
  const logged: string[] = [];
  const write = (message: string, fields: object = {}) => void logged.push(`${message} ${JSON.stringify(fields)}`);
  Object.assign(gateway, { log: { debug: write, info: write, warn: write, error: write, with: () => gateway.log } });
  const seen: Caller[] = [];
  const { initialize } = gateway.face;
  gateway.face.initialize = (params, context) => {
    seen.push(context.caller);
    return initialize(params, context);
  };
  const app = testApp(gateway, "127.0.0.1", clock);
  /** What the form lacks is as it should be; `undefined` leaves a field out. */
  const exchange = async (fields: Record<string, string | undefined>, address = "10.0.0.1") => {
    const all = { grant_type: exchangeGrant, subject_token_type: idTokenType, ...fields };
    const form = new URLSearchParams(
      Object.entries(all).filter((one): one is [string, string] => one[1] !== undefined),
    );
    const response = await app.ask("/auth/token", { method: "POST", headers: formType, body: String(form), address });
    return { status: response.status, headers: response.headers, body: (await response.json()) as JsonObject };
  };
  const tokenFor = async (claims: JWTPayload = {}, scope?: string) => {
    const { status, body } = await exchange({ subject_token: await provider.sign(claims), scope });
    assert.equal(status, 200, JSON.stringify(body));
    return { token: String(body["access_token"]), jti: String(body["jti"]), body };
  };
  /** 404: let in, to where nothing is. */
  const knock = async (token: string, address?: string) =>
    (await app.ask("/x", { headers: bearer(token), ...(address !== undefined && { address }) })).status;
  const callerOf = async (token: string) => {
    await app.initialize("/mcp", undefined, bearer(token));
    return seen.at(-1) as Caller;
  };
  const remove = async (path: string, token?: string, address = "10.0.0.2") => {
    const response = await app.ask(path, { method: "DELETE", address, ...(token && { headers: bearer(token) }) });
    const text = await response.text();
    return { status: response.status, body: (text === "" ? {} : JSON.parse(text)) as JsonObject };
  };
  return { clock, gateway, logged, exchange, tokenFor, knock, callerOf, remove, ...app };
}

test("key server: an ID token is exchanged for a token with the rights of the first policy, and never an admin's", async () => {
  const { exchange, callerOf, knock } = setUp();
  const { status, headers, body } = await exchange({ subject_token: await provider.sign() });
  assert.equal(status, 200);
  assert.equal(headers.get("cache-control"), "no-store");
  const { access_token, jti, ...rest } = body;
  assert.match(String(access_token), /^mcpgw_[\w-]{43}$/);
  assert.match(String(jti), /^[\w-]{22}$/);
  assert.deepEqual(rest, {
    issued_token_type: "urn:ietf:params:oauth:token-type:access_token",
    token_type: "Bearer",
    expires_in: 3_600,
    scope: "backends:git*,notes tools:read_*,notes:add",
  });
  const caller = await callerOf(String(access_token));
  assert.equal(caller.admin, false);
  assert.equal(caller.name, "ada@example.com");
  assert.match(caller.principal, /^jwt:[0-9a-f]{16}:[0-9a-f]{32}$/);
  assert.ok(mayUseTool(caller, "github", "read_issue"));
  assert.ok(mayUseTool(caller, "notes", "add"));
  assert.ok(!mayUseTool(caller, "github", "add"));
  assert.ok(!mayUseServer(caller, "mail"));
  assert.equal(await knock(`${access_token}x`), 401);
});

test("key server: what is asked for narrows what the policy gives, and never widens it", async () => {
  const { tokenFor, callerOf, exchange } = setUp({ max_tokens_per_identity: 50 });
  const cases: [asked: string, granted: string][] = [
    ["backends:github", "backends:github tools:read_*,notes:add"],
    ["backends:github,mail tools:read_issue", "backends:github tools:read_issue"],
    ["backends:* tools:*", "backends:git*,notes tools:read_*,notes:add"],
    ["tools:github:read_issue", "backends:git*,notes tools:github:read_issue"],
    ["backends:g*", "backends:git* tools:read_*,notes:add"],
    ["tools:notes:*", "backends:git*,notes tools:notes:add"],
    ["", "backends:git*,notes tools:read_*,notes:add"],
  ];
  for (const [asked, granted] of cases) {
    const { body, token } = await tokenFor({}, asked);
    assert.equal(body["scope"], granted, asked);
    const caller = await callerOf(token);
    for (const [server, tool] of [
      ["mail", "read_mail"],
      ["github", "delete_repo"],
      ["notes", "drop"],
    ] as const)
      assert.ok(!mayUseTool(caller, server, tool), `${asked} gives ${server}:${tool}`);
  }
  const narrow = await callerOf((await tokenFor({}, "tools:github:read_issue")).token);
  assert.ok(mayUseTool(narrow, "github", "read_issue"));
  assert.ok(!mayUseTool(narrow, "gitlab", "read_issue"));
  assert.ok(!mayUseTool(narrow, "github", "read_code"));
  for (const scope of ["backends:mail", "tools:delete_*", "backends:*hub"]) {
    const { status, body } = await exchange({ subject_token: await provider.sign(), scope });
    assert.deepEqual([status, body["error"]], [403, "access_denied"], scope);
  }
  for (const scope of ["backend:github", "openid", "tools:", "backends:a,,b"]) {
    const { status, body } = await exchange({ subject_token: await provider.sign(), scope });
    assert.deepEqual([status, body["error"]], [400, "invalid_scope"], scope);
  }
});

test("key server: policies go by domain, issuer, mail address and group, and the first that fits decides", async () => {
  const give = (name: string, match: object) => ({ match, scopes: { backends: [name] } });
  const { exchange } = setUp({
    max_tokens_per_identity: 50,
    policies: [
      give("root", { email: "Root@Example.com" }),
      give("ops", { domain: "*.example.com", group: "ops-*" }),
      give("home", { domain: "example.com", issuer: provider.issuer }),
      give("other", { issuer: "https://other.test" }),
      give("guests", { group: "guests" }),
    ],
  });
  const scopeOf = async (claims: JWTPayload) => {
    const { status, body } = await exchange({ subject_token: await provider.sign(claims) });
    return status === 200 ? String(body["scope"]).split(" ")[0] : `${status} ${body["error"]}`;
  };
  assert.equal(await scopeOf({ email: "ROOT@example.com" }), "backends:root");
  assert.equal(await scopeOf({ email: "x@eu.example.com", groups: ["a", "ops-eu"] }), "backends:ops");
  assert.equal(await scopeOf({ email: "x@example.com", groups: ["ops-eu"] }), "backends:home");
  assert.equal(await scopeOf({ email: "x@else.test", groups: "guests" }), "backends:guests");
  const refused = "403 access_denied";
  assert.equal(await scopeOf({ email: "x@else.test" }), refused);
  assert.equal(await scopeOf({ email: "x@example.com.evil.test" }), refused);
  assert.equal(await scopeOf({ email: "example.com" }), refused, "a domain is what comes after the at sign");
  for (const email_verified of [false, "false"])
    assert.equal(await scopeOf({ email: "root@example.com", email_verified }), refused, "nobody stands for it");
});

test("key server: empty lists of a policy mean everything but an admin's rights, and domains of a provider are a gate", async () => {
  const oidc = [{ issuer: provider.issuer, audiences: ["client-1"], allowed_domains: ["example.com"] }];
  const { tokenFor, callerOf, exchange } = setUp({ oidc, policies: [{}] });
  const { token, body } = await tokenFor();
  assert.equal(body["scope"], "backends:* tools:*");
  const caller = await callerOf(token);
  assert.deepEqual([caller.admin, caller.backends, caller.allowedTools], [false, undefined, undefined]);
  for (const claims of [{ email: "ada@else.test" }, { email: undefined }] as JWTPayload[]) {
    const { status, body: refusal } = await exchange({ subject_token: await provider.sign(claims) });
    assert.equal(status, 403);
    assert.match(String(refusal["message"]), /domain/);
  }
});

test("key server: what is wrong with a form is said", async () => {
  const { exchange, ask } = setUp();
  const good = await provider.sign();
  const cases: [fields: Record<string, string | undefined>, error: string][] = [
    [{ grant_type: "authorization_code", subject_token: good }, "unsupported_grant_type"],
    [{ grant_type: undefined, subject_token: good }, "unsupported_grant_type"],
    [{ subject_token: undefined }, "invalid_request"],
    [{ subject_token: "" }, "invalid_request"],
    [{ subject_token: good, subject_token_type: "urn:ietf:params:oauth:token-type:saml2" }, "invalid_request"],
    [{ subject_token: good, requested_token_type: idTokenType }, "invalid_request"],
    [{ subject_token: good, actor_token: good }, "invalid_request"],
  ];
  for (const [fields, error] of cases) {
    const { status, body } = await exchange(fields);
    assert.deepEqual([status, body["error"]], [400, error], JSON.stringify(fields).slice(0, 80));
    assert.equal(body["message"], body["error_description"]);
  }
  const post = async (body: string, headers = formType) => {
    const response = await ask("/auth/token", { method: "POST", headers, body });
    return [response.status, ((await response.json()) as JsonObject)["error"]];
  };
  const form = `grant_type=${encodeURIComponent(exchangeGrant)}&subject_token=${good}`;
  assert.deepEqual(await post(`${form}&subject_token=${good}`), [400, "invalid_request"], "twice");
  assert.deepEqual(await post(form, { "content-type": "application/json" }), [400, "invalid_request"]);
  assert.deepEqual(await post(`${form}&x=${"y".repeat(70_000)}`), [413, "invalid_request"]);
  assert.equal((await ask("/auth/token")).status, 405);
  assert.equal((await exchange({ subject_token: good, subject_token_type: undefined })).status, 200, "left out");
});

test("T9: an ID token that is not good is not exchanged, whatever is wrong with it", async () => {
  const { exchange, logged } = setUp();
  const now = Math.floor(Date.now() / 1_000);
  const other = await generateKeyPair("ES256");
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const claims = { iss: provider.issuer, aud: "client-1", sub: "ada", iat: now, exp: now + 60, groups: ["staff"] };
  const jwk = new TextEncoder().encode(JSON.stringify(other.publicKey));
  const good = await provider.sign();
  const bad: [name: string, token: string | Promise<string>][] = [
    ["for another audience", provider.sign({ aud: "client-2" })],
    ["for no audience", provider.sign({ aud: undefined as never })],
    ["of another issuer", provider.sign({ iss: "https://other.test" })],
    ["expired", provider.sign({}, { expires: -60 })],
    ["too old", provider.sign({ iat: now - 331 })],
    ["of no age", provider.sign({ iat: undefined as never })],
    ["from the future", provider.sign({ iat: now + 120 })],
    ["nobody's", provider.sign({ sub: undefined as never })],
    ["signed by another key", provider.sign({}, { key: other.privateKey })],
    ["signed with what everybody knows", provider.sign({}, { alg: "HS256", key: jwk })],
    ["not signed", `${part({ alg: "none" })}.${part(claims)}.`],
    [
      "changed",
      good
        .split(".")
        .with(1, part({ ...claims, groups: ["staff", "root"] }))
        .join("."),
    ],
    ["too long", `${good}${"A".repeat(9_000)}`],
    ["no token", "nonsense"],
  ];
  for (const [index, [name, token]] of bad.entries()) {
    const { status, body, headers } = await exchange({ subject_token: await token }, `10.0.1.${index}`);
    assert.deepEqual([status, body["error"]], [401, "invalid_token"], name);
    assert.equal(headers.get("www-authenticate"), "Bearer");
  }
  assert.equal((await exchange({ subject_token: good })).status, 200);
  for (const text of [good, good.split(".")[2] as string]) assert.ok(!logged.join("\n").includes(text));
});

test("T9: an ID token is exchanged once, also when two come at once or its signature is written in another way", async () => {
  const { exchange } = setUp();
  const token = await provider.sign();
  const both = await Promise.all([exchange({ subject_token: token }), exchange({ subject_token: token })]);
  assert.deepEqual(both.map(({ status }) => status).sort(), [200, 401]);
  assert.equal((await exchange({ subject_token: token })).status, 401);
  // Of an elliptic curve (r, n - s) is a signature as good as (r, s).
  const [head, claims, signature = ""] = token.split(".");
  const bytes = Buffer.from(signature, "base64url");
  const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
  const mirrored = order - BigInt(`0x${bytes.subarray(32).toString("hex")}`);
  const other = Buffer.concat([bytes.subarray(0, 32), Buffer.from(mirrored.toString(16).padStart(64, "0"), "hex")]);
  const { status, body } = await exchange({ subject_token: `${head}.${claims}.${other.toString("base64url")}` });
  assert.equal(status, 401);
  assert.match(String(body["message"]), /used before/);
});

test("T21: forged ID tokens are failed attempts like any other, old ones are not", async () => {
  const { exchange, knock, tokenFor } = setUp({}, { api_keys: [{ key: "k" }] });
  const { privateKey } = await generateKeyPair("ES256");
  for (let at = 0; at < 12; at++)
    assert.equal((await exchange({ subject_token: await provider.sign({}, { expires: -60 }) })).status, 401);
  await tokenFor();
  const statuses: number[] = [];
  for (let at = 0; at < 11; at++)
    statuses.push((await exchange({ subject_token: await provider.sign({}, { key: privateKey }) })).status);
  assert.deepEqual([...new Set(statuses)], [401, 429]);
  const { status, headers, body } = await exchange({ subject_token: await provider.sign() });
  assert.deepEqual([status, body["error"]], [429, "too_many_attempts"]);
  assert.ok(Number(headers.get("retry-after")) > 0);
  assert.equal(await knock("k", "10.0.0.1"), 429, "keys from there neither");
  assert.equal((await exchange({ subject_token: await provider.sign() }, "10.0.0.9")).status, 200);
});

test("key server: an identity holds so many tokens at once, and each ends with its time", async () => {
  const { exchange, tokenFor, knock, clock } = setUp({ max_tokens_per_identity: 2, token_ttl_secs: 100 });
  const { token } = await tokenFor();
  await clock.advance(40_000);
  await tokenFor();
  const { status, body, headers } = await exchange({ subject_token: await provider.sign() });
  assert.deepEqual([status, body["error"], headers.get("retry-after")], [429, "too_many_tokens", "60"]);
  await tokenFor({ sub: "eve" });
  assert.equal(await knock(token), 404);
  await clock.advance(60_000);
  assert.equal(await knock(token), 401);
  await tokenFor();
  await clock.advance(500_000);
  assert.equal(clock.pending, 0, "nothing is looked for where nothing is remembered");
});

test("key server: tokens are taken back with the admin token alone, and sessions with the last of them", async () => {
  const { tokenFor, knock, remove, initialize, gateway, exchange } = setUp();
  const [one, two] = [await tokenFor(), await tokenFor()];
  const eve = await tokenFor({ sub: "eve" });
  await initialize("/mcp", undefined, bearer(one.token));
  const early = await provider.sign({ iat: Math.floor(Date.now() / 1_000) - 1 });
  assert.equal((await remove(`/auth/token/${one.jti}`)).status, 401);
  for (const wrong of ["root-of-key", one.token]) {
    const { status, body } = await remove(`/auth/token/${one.jti}`, wrong);
    assert.deepEqual([status, body["error"]], [401, "unauthorized"]);
  }
  assert.equal((await remove(`/auth/token/${one.jti}`, "root-of-keys")).status, 204);
  assert.equal(await knock(one.token), 401);
  assert.equal(await knock(two.token), 404);
  assert.equal(gateway.sessions.size, 1);
  const again = await remove(`/auth/token/${one.jti}`, "root-of-keys");
  assert.deepEqual([again.status, again.body["error"]], [404, "token_not_found"]);
  assert.equal((await remove("/auth/tokens", "root-of-keys")).status, 400);
  const all = await remove("/auth/tokens?subject=ada", "root-of-keys");
  assert.deepEqual([all.status, all.body], [200, { revoked: 1, subject: "ada" }]);
  assert.equal(await knock(two.token), 401);
  assert.equal(await knock(eve.token), 404);
  assert.equal(gateway.sessions.size, 0);
  const late = await exchange({ subject_token: early });
  assert.equal(late.status, 401, "what was out before is not exchanged any more");
  await tokenFor({ iat: Math.floor(Date.now() / 1_000) + 2 });
});

test("T21: admin tokens are not guessed, and without one nobody takes anything back", async () => {
  const { remove } = setUp();
  for (let at = 0; at < 10; at++) assert.equal((await remove("/auth/tokens?subject=x", `guess-${at}`)).status, 401);
  assert.equal((await remove("/auth/tokens?subject=x", "root-of-keys")).status, 429);
  const none = setUp({ admin_token: undefined });
  const { status, body } = await none.remove("/auth/tokens?subject=x", "undefined");
  assert.deepEqual([status, body["error"]], [503, "admin_not_configured"]);
});

test("key server: requests are counted by identity, whichever of its tokens is shown", async () => {
  const { tokenFor, knock } = setUp({ policies: [{ ...staff, scopes: { rate_limit: 3 } }] });
  const [one, two, eve] = [await tokenFor(), await tokenFor(), await tokenFor({ sub: "eve" })];
  const statuses = [];
  for (const { token } of [one, two, one, two]) statuses.push(await knock(token));
  assert.deepEqual(statuses, [404, 404, 404, 429]);
  assert.equal(await knock(eve.token), 404);
});

test("key server: any number of identities get bounded memory, and nobody's token goes for another's", async () => {
  const clock = new FakeClock();
  const tokens = new IssuedTokens(clock, Date.now, () => 60_000);
  const granted = { backends: undefined, tools: undefined };
  const issue = (at: number) =>
    tokens.issue({
      id: String(at),
      identity: { issuer: "i", subject: String(at), email: undefined, groups: [] },
      granted,
      lifeMs: 1_000 + at,
      most: 5,
      idToken: { id: String(at), remainingMs: 500 },
    });
  for (let at = 0; at < 10_000; at++) assert.notEqual(typeof issue(at), "number");
  assert.equal(issue(10_000), 1_000, "when there is room again");
  const rules = fakeConfig(sectionsOf({ policies: [{}], oidc: [{ issuer: "i", audiences: ["x"] }] }));
  assert.ok(tokens.find("0", rules) !== undefined && tokens.find("10000", rules) === undefined);
  await clock.advance(1_000);
  assert.notEqual(typeof issue(10_001), "number");
  tokens.end();
  assert.equal(clock.pending, 0);
});

test("key server: a token gives what the policies give now, and ends with the last that fits", async () => {
  const { gateway, tokenFor, callerOf, knock } = setUp();
  const { token } = await tokenFor({}, "backends:github,notes");
  const reload = (settings: object) => {
    gateway.config = fakeConfig(sectionsOf(settings));
  };
  assert.deepEqual((await callerOf(token)).backends, ["github", "notes"]);
  reload({ policies: [{ match: { group: "staff" }, scopes: { backends: ["notes", "mail"] } }] });
  assert.deepEqual((await callerOf(token)).backends, ["notes"], "mail was never asked for");
  for (const settings of [{ policies: [] }, { oidc: [] }, { policies: [{ scopes: { backends: ["mail"] } }] }]) {
    reload(settings);
    assert.equal(await knock(token), 403, JSON.stringify(settings));
  }
  reload({ enabled: false });
  assert.equal(await knock(token), 401);
  reload({});
  assert.equal(await knock(token), 404);
});

test("key server: a session is the identity's, whichever of its tokens is shown", async () => {
  const { tokenFor, initialize, post } = setUp();
  const sessionId = await initialize("/mcp", undefined, bearer((await tokenFor()).token));
  const ping = async (token: string) => {
    const headers = { ...bearer(token), "mcp-session-id": sessionId, "mcp-protocol-version": "2025-11-25" };
    return (await post("/mcp", { jsonrpc: "2.0", id: 1, method: "ping" }, headers)).status;
  };
  assert.equal(await ping((await tokenFor()).token), 200);
  assert.equal(await ping((await tokenFor({ sub: "eve" })).token), 404);
});

test("key server: an ID token is no credential itself, unless it is said to be one, and then for as long as it is young", async () => {
  const { knock, ask } = setUp();
  assert.equal(await knock(await provider.sign()), 401);
  const metadata = "/.well-known/oauth-protected-resource/mcp";
  assert.equal((await ask(metadata)).status, 404, "there is nothing a client could log in to by itself");
  const open = setUp({ delegated_bearer: true });
  const caller = await open.callerOf(await provider.sign());
  assert.deepEqual([caller.admin, caller.backends], [false, ["git*", "notes"]]);
  assert.ok((caller.validUntil ?? 0) < Date.now() + 331_000, "no longer than it is young");
  assert.equal(await open.knock(await provider.sign({ groups: ["strangers"] })), 403);
  assert.equal(await open.knock(await provider.sign({ iat: Math.floor(Date.now() / 1_000) - 400 })), 401);
  const told = (await (await open.ask(metadata)).json()) as JsonObject;
  assert.deepEqual(told["authorization_servers"], [provider.issuer]);
  assert.match((await open.ask("/mcp")).headers.get("www-authenticate") ?? "", /resource_metadata=/);
});

test("key server: keys are found at a configured address, and a provider that cannot be reached is the gateway's trouble", async () => {
  const oidc = { issuer: provider.issuer, audiences: ["client-1"] };
  const places = [{ jwks_uri: `${provider.issuer}/keys` }, { discovery_url: `${provider.issuer}/elsewhere` }];
  for (const place of places) {
    provider.asked.length = 0;
    await setUp({ oidc: [{ ...oidc, ...place }] }).tokenFor();
    assert.equal(provider.asked[0], new URL(Object.values(place)[0] as string).pathname);
  }
  const { exchange } = setUp({ oidc: [{ ...oidc, jwks_uri: "http://127.0.0.1:1/keys" }] });
  const { status, body } = await exchange({ subject_token: await provider.sign() });
  assert.deepEqual([status, body["error"]], [502, "temporarily_unavailable"]);
  assert.ok(!JSON.stringify(body).includes("127.0.0.1:1"));
});

test("key server: where it is not enabled there is none, and pages of other sites are not let in", async () => {
  const { exchange, ask } = setUp({ enabled: false }, { bearer_token: "root" });
  assert.equal((await exchange({ subject_token: await provider.sign() })).status, 401);
  assert.equal((await ask("/auth/token", { method: "POST", headers: bearer("root") })).status, 404);
  const open = setUp();
  const headers = { ...formType, origin: "https://evil.test" };
  assert.equal((await open.ask("/auth/token", { method: "POST", headers, body: "" })).status, 403);
  assert.equal((await open.ask("/auth/other")).status, 401);
  const response = await open.post("/mcp", initializeMessage());
  assert.equal(response.status, 401);
});
