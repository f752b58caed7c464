/** Tokens that agents sign themselves: which keys and claims are taken, and what their scopes come to. */
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { exportSPKI, generateKeyPair, type JWTPayload, SignJWT } from "jose";
import type { Caller } from "../../src/core/caller.ts";
import { mayUseEveryTool, mayUseServer, mayUseTool } from "../../src/core/scope.ts";
import type { JsonObject } from "../../src/lib/json.ts";
import { FakeClock } from "../fixtures/fake-clock.ts";
import { fakeConfig, fakeGateway } from "./fake-gateway.ts";
import { errorOf, testApp } from "./http-client.ts";

const secret = "a secret of at least thirty-two bytes";
const encoded = (text: string) => new TextEncoder().encode(text);
const pairs: Record<string, Awaited<ReturnType<typeof generateKeyPair>>> = {};
const pem: Record<string, string> = {};

before(async () => {
  for (const alg of ["RS256", "ES256"]) {
    const pair = await generateKeyPair(alg);
    pairs[alg] = pair;
    pem[alg] = await exportSPKI(pair.publicKey);
  }
});

interface Signing {
  readonly alg?: string;
  readonly key?: CryptoKey | Uint8Array;
  /** Seconds from now. */
  readonly expires?: number;
}

function sign(claims: JWTPayload = {}, { alg = "HS256", key = encoded(secret), expires = 300 }: Signing = {}) {
  const token = new SignJWT({ sub: "builder", ...claims }).setProtectedHeader({ alg });
  return token.setExpirationTime(Math.floor(Date.now() / 1_000) + expires).sign(key);
}

const annotated: Record<string, JsonObject> = {
  read: { annotations: { readOnlyHint: true } },
  append: { annotations: { destructiveHint: false } },
  silent: {},
};

function setUp(agent: object = {}, more: readonly object[] = []) {
  const builder = { client_id: "builder", hs256_secret: secret, scopes: ["tools:files:*"], ...agent };
  const sections = {
    auth: { enabled: true },
    server: { public_url: "https://gateway.test" },
    agent_auth: { enabled: true, agents: [builder, ...more] },
  };
  const gateway = fakeGateway(sections);
  Object.assign(gateway.catalog, { tool: (_server: string, tool: string) => annotated[tool] });
  const seen: Caller[] = [];
  const { initialize } = gateway.face;
  gateway.face.initialize = (params, context) => {
    seen.push(context.caller);
    return initialize(params, context);
  };
  const app = testApp(gateway, "127.0.0.1", new FakeClock());
  let asked = 0;
  const knock = async (token: string) => {
    const headers = { authorization: `Bearer ${token}` };
    const response = await app.ask("/x", { headers, address: `10.0.0.${++asked}` });
    return { status: response.status, message: (await errorOf(response)).message };
  };
  const callerOf = async (token: string) => {
    await app.initialize("/mcp", undefined, { authorization: `Bearer ${token}` });
    return seen.at(-1) as Caller;
  };
  return { gateway, sections, knock, callerOf, ...app };
}

test("agents: a token of its own makes an agent a caller of its name, never an admin", async () => {
  const { callerOf } = setUp();
  const caller = await callerOf(await sign());
  assert.match(caller.principal, /^agent:[0-9a-f]{32}$/);
  assert.deepEqual([caller.name, caller.agent, caller.admin], ["builder", "builder", false]);
  assert.equal((await callerOf(await sign({ sub: "user", client_id: "builder" }))).principal, caller.principal);
  assert.equal((await setUp({ name: "Build robot" }).callerOf(await sign())).name, "Build robot");
});

test("agents: each key is good for its own algorithm and for nothing else", async () => {
  const keys = { rs256_public_key: pem["RS256"], es256_public_key: pem["ES256"] };
  const { knock } = setUp(keys);
  for (const alg of ["RS256", "ES256"])
    assert.equal((await knock(await sign({}, { alg, key: pairs[alg]!.privateKey }))).status, 404, alg);
  assert.equal((await knock(await sign())).status, 404, "HS256");
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const claims = { sub: "builder", exp: Math.floor(Date.now() / 1_000) + 60 };
  const bad: [name: string, token: string | Promise<string>][] = [
    ["a public key as the secret", sign({}, { key: encoded(pem["RS256"] as string) })],
    ["another length of hash", sign({}, { alg: "HS512" })],
    ["RSA with another padding", sign({}, { alg: "PS256", key: (await generateKeyPair("PS256")).privateKey })],
    ["not signed", `${part({ alg: "none" })}.${part(claims)}.`],
    ["another secret", sign({}, { key: encoded(`${secret}!`) })],
    ["another key", sign({}, { alg: "ES256", key: (await generateKeyPair("ES256")).privateKey })],
    ["another agent", sign({ sub: "stranger" })],
    ["two names", sign({ client_id: "stranger" })],
    ["expired", sign({}, { expires: -70 })],
    ["not yet good", sign({ nbf: Math.floor(Date.now() / 1_000) + 120 })],
    ["too long", sign({ text: "x".repeat(9_000) })],
  ];
  for (const [name, token] of bad) assert.equal((await knock(await token)).status, 401, name);
  assert.equal((await knock(await sign({}, { expires: -50 }))).status, 404, "clocks differ");
  const endless = await new SignJWT({ sub: "builder" }).setProtectedHeader({ alg: "HS256" }).sign(encoded(secret));
  assert.match((await knock(endless)).message, /"exp"/);
  const rsaOnly = setUp({ hs256_secret: undefined, rs256_public_key: pem["RS256"] });
  assert.equal((await rsaOnly.knock(await sign({}, { key: encoded(pem["RS256"] as string) }))).status, 401);
  assert.equal((await setUp({ hs256_secret: "short" }).knock(await sign({}, { key: encoded("short") }))).status, 401);
});

test("agents: one agent's key makes no token of another", async () => {
  const other = { client_id: "reader", hs256_secret: `${secret} of another`, scopes: ["tools:*"] };
  const { knock, callerOf } = setUp({}, [other]);
  assert.equal((await knock(await sign({ sub: "reader" }))).status, 401);
  const reader = await callerOf(await sign({ sub: "reader" }, { key: encoded(other.hs256_secret) }));
  assert.equal(reader.name, "reader");
});

test("agents: issuer and audience are held against the configuration, and a token for others is not taken", async () => {
  const { knock } = setUp({ issuer: "https://agents.test", audience: "gateway" });
  assert.equal((await knock(await sign({ iss: "https://agents.test", aud: "gateway" }))).status, 404);
  for (const claims of [
    { aud: "gateway" },
    { iss: "https://agents.test" },
    { iss: "https://other.test", aud: "gateway" },
    { iss: "https://agents.test", aud: "other" },
  ])
    assert.equal((await knock(await sign(claims))).status, 401, JSON.stringify(claims));
  const any = setUp();
  assert.equal((await any.knock(await sign())).status, 404, "made for nobody in particular");
  assert.equal((await any.knock(await sign({ aud: "https://gateway.test/mcp" }))).status, 404);
  assert.equal((await any.knock(await sign({ aud: "https://other.test" }))).status, 401);
});

test("agents: scopes give servers and tools, and levels what tools say of themselves", async () => {
  const rightsOf = async (scopes: readonly string[], claims?: JWTPayload) =>
    setUp({ scopes }).callerOf(await sign(claims));
  const tools = ["read", "append", "silent", "unknown"];
  const given = async (scopes: readonly string[], claims?: JWTPayload) => {
    const caller = await rightsOf(scopes, claims);
    return tools.filter((tool) => mayUseTool(caller, "files", tool)).join(" ");
  };
  assert.equal(await given(["tools:*"]), "read append silent unknown");
  assert.equal(await given(["tools:files"]), "read append silent unknown");
  assert.equal(await given(["tools:files:*:execute"]), "read append silent unknown");
  assert.equal(await given(["tools:files:*:write"]), "read append");
  assert.equal(await given(["tools:files:*:read"]), "read");
  assert.equal(await given(["tools:files:*:read", "tools:files:silent"]), "read silent");
  assert.equal(await given(["tools:fi*:un*:*"]), "unknown");
  assert.equal(await given(["tools:mail:*"]), "");
  assert.equal(await given(["tools:files:*:reed", "files:*", "tools:", ""]), "", "what is no scope gives nothing");
  assert.equal(await given([]), "");
  const caller = await rightsOf(["tools:files:read", "tools:mail:send"]);
  assert.ok(mayUseServer(caller, "mail") && !mayUseServer(caller, "web"));
  assert.ok(!mayUseTool(caller, "mail", "read"), "tools go with their server");
  assert.ok(!mayUseTool(caller, "mail", "files:read"), "a name does not make another server of it");
  assert.ok(!mayUseEveryTool(caller));
  const scope = "openid tools:files:read";
  assert.equal(await given(["tools:*"], { scope }), "read", "a token can ask for less");
  assert.equal(await given(["tools:mail:*"], { scope }), "", "and not for more");
  assert.equal(await given(["tools:files:append"], { scope: ["tools:*"] }), "append");
  assert.equal(await given(["tools:files:append"], { scope: "tools:files:*:reed" }), "");
  assert.equal(await given(["tools:files:append"], { scope: "openid" }), "append");
});

test("agents: a reload changes what an agent may do, and ends what it is not any more", async () => {
  const { gateway, sections, callerOf, knock } = setUp();
  const token = await sign();
  assert.ok(mayUseTool(await callerOf(token), "files", "silent"));
  const reload = (agent_auth: object) => {
    gateway.config = fakeConfig({ ...sections, agent_auth: agent_auth as Record<string, unknown> });
  };
  const [builder] = sections.agent_auth.agents;
  reload({ enabled: true, agents: [{ ...builder, scopes: ["tools:files:*:read"] }] });
  assert.ok(!mayUseTool(await callerOf(token), "files", "silent"));
  reload({ enabled: true, agents: [{ ...builder, hs256_secret: `${secret}, the next one` }] });
  assert.equal((await knock(token)).status, 401);
  reload({ enabled: true, agents: [] });
  assert.equal((await knock(token)).status, 401);
  reload({ enabled: false, agents: [builder] });
  assert.equal((await knock(token)).status, 401);
});
