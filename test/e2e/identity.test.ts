/** Servers that are told who calls, at the executable: each strategy, and what each of them needs to be of use. */
import assert from "node:assert/strict";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { createRemoteJWKSet, decodeProtectedHeader, type JWTPayload, jwtVerify } from "jose";
import {
  digestOf,
  type ExchangeServer,
  openExchangeServer,
  openTokenIssuer,
  openWhoServer,
  type TokenIssuer,
  type Who,
  type WhoServer,
} from "../fixtures/identity-world.ts";
import { until } from "../fixtures/processes.ts";
import { openSse } from "../fixtures/raw-sse-client.ts";
import { openRaw } from "../fixtures/raw-web-socket.ts";
import { HttpClient, initializeMessage, type Loose, type Reply, toolCall } from "../security/clients.ts";
import { type GatewayProcess, startGateway } from "./harness.ts";

const publicUrl = "https://gateway.test";
const passthroughHeader = "x-mcp-passthrough-authorization";
let issuer: TokenIssuer;
let exchange: ExchangeServer;
let server: WhoServer;
let gateway: GatewayProcess;

const config = (more: object = {}) => ({
  capabilities: { enabled: false },
  server: { public_url: publicUrl },
  auth: {
    enabled: true,
    bearer_token: "the-owner's-token",
    api_keys: [{ key: "key-of-ci", name: "ci" }, { key: "key-of-nobody" }],
    users: [{ name: "bob", password: "bobs-password" }],
    issuers: [{ issuer: issuer.issuer, rules: [{ backends: ["*"] }] }],
  },
  security: { transparency_log: { enabled: true, path: "calls.jsonl" } },
  backends: {
    signed: { http_url: server.url, identity_propagation: { strategy: "signed_assertion", required: true } },
    open: { http_url: server.url, identity_propagation: { strategy: "signed_assertion", audience: "notes" } },
    exchanged: {
      http_url: server.url,
      identity_propagation: {
        strategy: "token_exchange",
        required: true,
        session_mode: "per_user",
        token_exchange_endpoint: exchange.url,
        token_exchange_scope: "notes",
      },
    },
    passed: {
      http_url: server.url,
      headers: { Authorization: "Bearer opaque~gateway~0" },
      identity_propagation: { strategy: "passthrough", required: true },
    },
    both: {
      replicas: [{ http_url: server.url }, { http_url: server.url.replace("127.0.0.1", "localhost") }],
      identity_propagation: { strategy: "signed_assertion", audience: "both", session_mode: "per_user" },
    },
    ...more,
  },
});

before(async () => {
  issuer = await openTokenIssuer();
  exchange = await openExchangeServer();
  server = await openWhoServer();
  gateway = await startGateway(config());
});
after(async () => {
  await gateway?.stop();
  await server?.close();
  exchange?.close();
  issuer?.close();
});

const bearer = (value: string) => ({ authorization: `Bearer ${value}` });
const asAda = async () => bearer(await issuer.token("ada", { name: "Ada L.", groups: ["staff", "ops"] }));
const resultOf = (reply: Reply): Loose => reply.message.result ?? reply.message.error;
const whoIn = (reply: Reply): Who => JSON.parse(resultOf(reply).content[0].text);
const open = (headers: Record<string, string>, path = "/mcp") => HttpClient.open(`${gateway.url}${path}`, headers);
const lastAssertion = () =>
  (server.requests.findLast(({ body }) => /tools\/call/.test(body))?.headers["authorization"] ?? "").slice(7);
const keySet = () => createRemoteJWKSet(new URL(`${gateway.url}/.well-known/jwks.json`));

test("signed_assertion: a server that knows the gateway's public key knows who calls, and that it is meant", async () => {
  const client = await open(await asAda());
  const { caller, owner } = whoIn(await client.invoke("signed", "who"));
  assert.deepEqual([caller, owner], ["ada", publicUrl], "one session, which the gateway opened as itself");
  const { payload, protectedHeader } = await jwtVerify(lastAssertion(), keySet(), {
    issuer: publicUrl,
    audience: server.url,
    algorithms: ["ES256"],
    requiredClaims: ["iat", "exp", "jti"],
  });
  const { iat = 0, exp = 0, jti, aud: _aud, iss: _iss, ...who } = payload;
  assert.deepEqual(who, { sub: "ada", idp: issuer.issuer, name: "Ada L.", groups: ["staff", "ops"] });
  assert.ok(exp - iat <= 300 && exp > Date.now() / 1_000);
  assert.match(protectedHeader.kid ?? "", /^[\w-]{43}$/);
  await client.invoke("signed", "who");
  assert.notEqual(((await jwtVerify(lastAssertion(), keySet())).payload as JWTPayload).jti, jti, "each is made anew");
});

test("signed_assertion: users and named keys are somebody, a shared token and a key without a name are not", async () => {
  const basic = { authorization: `Basic ${btoa("bob:bobs-password")}` };
  assert.equal(whoIn(await (await open(basic)).invoke("signed", "who")).caller, "user:bob");
  assert.equal(whoIn(await (await open(bearer("key-of-ci"))).invoke("signed", "who")).caller, "key:ci");
  for (const token of ["key-of-nobody", "the-owner's-token"]) {
    const client = await open(bearer(token));
    const refused = resultOf(await client.invoke("signed", "who"));
    assert.equal(refused._meta["mcp-gateway/error"].code, "FORBIDDEN", JSON.stringify(refused));
    assert.match(refused.content[0].text, /there is nothing to tell.*Come with a token of an issuer/s);
    assert.equal(whoIn(await client.invoke("open", "who")).caller, publicUrl, "unless it need not be");
  }
});

test("the record says who was let through, and who was not", async () => {
  const lines = () => readFileSync(join(gateway.folder, "calls.jsonl"), "utf8").trim().split("\n");
  await until(() => lines().some((line) => line.includes('"FORBIDDEN"')));
  const facts = lines().map((line): Loose => JSON.parse(line));
  const ofAda = facts.find(({ caller, server: name }) => caller === "ada" && name === "signed");
  assert.match(ofAda?.principal ?? "", /^jwt:/);
  const refused = facts.find(({ outcome }) => outcome === "FORBIDDEN");
  assert.match(refused?.principal ?? "", /^(key|bearer):/);
});

test("token_exchange: the caller's token becomes one for the server, once, in a session of his own", async () => {
  const headers = await asAda();
  const client = await open(headers);
  const first = whoIn(await client.invoke("exchanged", "who"));
  const second = whoIn(await client.invoke("exchanged", "who"));
  assert.deepEqual([first.caller, first.owner, second.caller], ["ada", "ada", "ada"]);
  assert.deepEqual([second.session, second.calls], [first.session, 2]);
  assert.equal(exchange.asked.length, 1);
  const [{ subject_token, resource, scope } = {} as Record<string, string>] = exchange.asked;
  assert.deepEqual([`Bearer ${subject_token}`, resource, scope], [headers.authorization, server.url, "notes"]);
  const keyed = resultOf(await (await open(bearer("key-of-ci"))).invoke("exchanged", "who"));
  assert.match(keyed.content[0].text, /an access token of an issuer/);
  exchange.respond = () => ({ status: 400, body: { error: "invalid_target", error_description: "not for you" } });
  const eve = await open(bearer(await issuer.token("eve")));
  const refused = resultOf(await eve.invoke("exchanged", "who"));
  exchange.respond = undefined;
  assert.equal(refused._meta["mcp-gateway/error"].code, "FORBIDDEN");
  assert.match(refused.content[0].text, /was refused: invalid_target: not for you/);
  assert.equal(whoIn(await eve.invoke("exchanged", "who")).owner, "eve");
});

test("passthrough: what a client sends for this one server goes there, by its own address and no other", async () => {
  const mine = { [passthroughHeader]: "Basic YWRhOnNlY3JldA==" };
  const direct = await open({ ...bearer("key-of-ci"), ...mine }, "/mcp/passed");
  assert.equal(whoIn(await direct.tool("who")).caller, digestOf("Basic YWRhOnNlY3JldA=="));
  assert.match((await direct.request("tools/list")).body, /"who"/, "lists are had with what the backend's headers say");
  const without = await open(bearer("key-of-ci"), "/mcp/passed");
  assert.match(
    (await without.tool("who")).body,
    /Come with X-MCP-Passthrough-Authorization, in requests to \/mcp\/passed/,
  );
  const meta = await open({ ...bearer("key-of-ci"), ...mine });
  assert.match((await meta.invoke("passed", "who")).body, /there is nothing to tell/);
  const other = await open({ ...bearer("key-of-ci"), ...mine }, "/mcp/open");
  assert.equal(whoIn(await other.tool("who")).caller, "key:ci");
  const long = await open(
    { ...bearer("key-of-ci"), [passthroughHeader]: `Bearer ${"x".repeat(9_000)}` },
    "/mcp/passed",
  );
  assert.match(
    (await long.tool("who")).body,
    /cannot be sent to server .*"FORBIDDEN"|"FORBIDDEN".*cannot be sent to server/s,
  );
});

test("HTTP+SSE: the stream says it for its messages", async () => {
  const client = await openSse(gateway.port, "/sse/exchanged", bearer(await issuer.token("sam")));
  try {
    await client.post(initializeMessage(1));
    await until(() => client.messages.length === 1);
    await client.post(toolCall(2, "who"));
    await until(() => client.messages.length === 2);
    const { result } = client.messages[1] as Loose;
    assert.equal(JSON.parse(result.content[0].text).owner, "sam");
  } finally {
    client.cut();
  }
});

test("replicas: every one of them is told who calls", async () => {
  const client = await open(await asAda());
  const seen = new Set<string>();
  for (let at = 0; at < 4; at++) {
    const { caller, owner, session } = whoIn(await client.invoke("both", "who"));
    assert.deepEqual([caller, owner], ["ada", "ada"]);
    seen.add(session);
  }
  assert.equal(seen.size, 2, "a session at each");
});

test("WebSocket: the handshake says it for the whole connection", async () => {
  const token = await issuer.token("wanda");
  const headers = { Authorization: `Bearer ${token}` };
  const socket = await openRaw(gateway.port, { path: "/mcp/exchanged", headers });
  try {
    socket.send(initializeMessage(1));
    await until(() => socket.messages.length === 1);
    socket.send(toolCall(2, "who"));
    await until(() => socket.messages.length === 2);
    const { result } = socket.messages[1] as Loose;
    assert.equal(JSON.parse(result.content[0].text).owner, "wanda");
  } finally {
    socket.socket.destroy();
  }
});

test("the key outlives the gateway, and a reload brings strategies into force", async () => {
  const path = join(gateway.folder, "state", "identity-keys.json");
  if (process.platform !== "win32") assert.equal(statSync(path).mode & 0o777, 0o600);
  const keys = readFileSync(path, "utf8");
  const client = await open(await asAda());
  await client.invoke("signed", "who");
  const { kid } = decodeProtectedHeader(lastAssertion());
  const published = (await (await fetch(`${gateway.url}/.well-known/jwks.json`)).json()) as Loose;
  assert.deepEqual(
    published.keys.map((key: Loose) => key.kid),
    [kid],
  );
  assert.doesNotMatch(JSON.stringify(published), /"d"/);

  const server_ = { host: "127.0.0.1", port: gateway.port, public_url: publicUrl };
  const next = config({
    signed: { http_url: server.url, identity_propagation: { strategy: "signed_assertion", session_mode: "per_user" } },
  });
  writeFileSync(gateway.configPath, JSON.stringify({ ...next, server: server_ }));
  await until(() => gateway.stderr().includes("Configuration reloaded"));
  assert.equal(whoIn(await client.invoke("signed", "who")).owner, "ada", "a session of her own now");

  const other = await startGateway(config(), { env: { MCP_GATEWAY_CONFIG_DIR: join(gateway.folder, "state") } });
  try {
    const again = await HttpClient.open(`${other.url}/mcp`, await asAda());
    await again.invoke("signed", "who");
    assert.equal(decodeProtectedHeader(lastAssertion()).kid, kid);
    assert.equal(readFileSync(path, "utf8"), keys);
  } finally {
    await other.stop();
  }
});
