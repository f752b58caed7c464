/** The key server at the executable: from an ID token to calls and back, and what never leaves. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { JWTPayload } from "jose";
import { type GatewayProcess, startGateway } from "../e2e/harness.ts";
import { until } from "../fixtures/processes.ts";
import { openRaw } from "../fixtures/raw-web-socket.ts";
import { startTokenIssuer, type TokenIssuer } from "../fixtures/token-issuer.ts";
import { backendCommand, HttpClient, initializeMessage, type Loose, post } from "./clients.ts";

const adminToken = "admin-of-the-key-server-4711";
const offer = JSON.stringify({ tools: ["read_note", "send_note"] });
let provider: TokenIssuer;
let gateway: GatewayProcess;

const config = () => ({
  capabilities: { enabled: false },
  auth: { enabled: true, bearer_token: "the-operator" },
  key_server: {
    enabled: true,
    admin_token: "env:KEY_SERVER_ADMIN",
    oidc: [{ issuer: provider.issuer, audiences: ["client-1"], allowed_domains: ["example.com"] }],
    policies: [{ match: { group: "staff" }, scopes: { backends: ["notes"], tools: ["read_*"] } }],
  },
  backends: {
    notes: { command: backendCommand(`--offer=${offer}`) },
    mail: { command: backendCommand(`--offer=${offer}`) },
  },
});

before(async () => {
  provider = await startTokenIssuer();
  gateway = await startGateway(config(), {
    args: ["--log-level", "debug"],
    env: { KEY_SERVER_ADMIN: adminToken },
  });
});
after(async () => {
  await gateway?.stop();
  provider.close();
});

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

async function exchange(idToken: string, scope = "") {
  const grant_type = "urn:ietf:params:oauth:grant-type:token-exchange";
  const subject_token_type = "urn:ietf:params:oauth:token-type:id_token";
  const body = new URLSearchParams({ grant_type, subject_token: idToken, subject_token_type, scope });
  const response = await fetch(`${gateway.url}/auth/token`, { method: "POST", body });
  return { status: response.status, body: (await response.json()) as Loose };
}

async function tokenFor(claims: JWTPayload = {}, scope?: string): Promise<{ token: string; jti: string }> {
  const { status, body } = await exchange(await provider.sign(claims), scope);
  assert.equal(status, 200, JSON.stringify(body));
  return { token: body.access_token, jti: body.jti };
}

function remove(path: string, token = adminToken): Promise<Response> {
  return fetch(`${gateway.url}${path}`, { method: "DELETE", headers: bearer(token) });
}

async function reload(key_server: object): Promise<void> {
  const before = gateway.stderr().split("Configuration reloaded").length;
  const next = { ...JSON.parse(readFileSync(gateway.configPath, "utf8")), key_server };
  writeFileSync(`${gateway.configPath}.new`, JSON.stringify(next));
  renameSync(`${gateway.configPath}.new`, gateway.configPath);
  await until(() => gateway.stderr().split("Configuration reloaded").length > before);
}

test("E3: a token of the key server comes in with its policy's rights, over HTTP and WebSocket, and as no admin", async () => {
  const { token } = await tokenFor();
  const client = await HttpClient.open(`${gateway.url}/mcp`, bearer(token));
  const listed = (await client.tool("gateway_list_tools", {})).body;
  assert.match(listed, /read_note/);
  assert.doesNotMatch(listed, /send_note|mail/);
  assert.doesNotMatch((await client.invoke("notes", "read_note")).body, /FORBIDDEN|NOT_FOUND/);
  for (const [server, tool] of [
    ["notes", "send_note"],
    ["mail", "read_note"],
  ] as const)
    assert.match((await client.invoke(server, tool)).body, /FORBIDDEN|NOT_FOUND/, `${server}:${tool}`);
  assert.equal((await fetch(`${gateway.url}/ui/api/config`, { headers: bearer(token) })).status, 403);
  assert.equal((await openRaw(gateway.port, { headers: { Authorization: `Bearer ${token}` } })).status, 101);
  const narrow = await HttpClient.open(`${gateway.url}/mcp`, bearer((await tokenFor({}, "tools:read_none")).token));
  assert.doesNotMatch((await narrow.tool("gateway_list_tools", {})).body, /read_note/);
});

test("E3: what is not good is not exchanged, and an ID token is no credential", async () => {
  const used = await provider.sign();
  assert.equal((await exchange(used)).status, 200);
  assert.deepEqual((await exchange(used)).body.error, "invalid_token");
  assert.equal((await exchange(await provider.sign({ aud: "client-2" }))).status, 401);
  assert.equal((await exchange(await provider.sign({ email: "ada@else.test" }))).body.error, "access_denied");
  const idToken = await provider.sign();
  assert.equal((await post(`${gateway.url}/mcp`, initializeMessage(), bearer(idToken))).status, 401);
  assert.equal((await fetch(`${gateway.url}/.well-known/oauth-protected-resource`)).status, 404);
});

test("E3: a token that is taken back ends at once, with its sessions and connections", async () => {
  const { token, jti } = await tokenFor({ sub: "eve" });
  const client = await HttpClient.open(`${gateway.url}/mcp`, bearer(token));
  const stream = await fetch(`${gateway.url}/mcp`, { headers: { ...client.headers, accept: "text/event-stream" } });
  const socket = await openRaw(gateway.port, { headers: { Authorization: `Bearer ${token}` } });
  assert.equal((await remove(`/auth/token/${jti}`, "the-operator")).status, 401);
  assert.equal((await remove(`/auth/token/${jti}`)).status, 204);
  assert.equal((await client.request("ping")).status, 401);
  await stream.text();
  socket.send(JSON.stringify({ jsonrpc: "2.0", id: 1, method: "ping" }));
  await until(() => socket.close() !== undefined);
  assert.equal(socket.close()?.code, 1008);
  const other = await tokenFor({ sub: "eve", iat: Math.floor(Date.now() / 1_000) });
  const revoked = await remove("/auth/tokens?subject=eve");
  assert.deepEqual(await revoked.json(), { revoked: 1, subject: "eve" });
  assert.equal((await fetch(`${gateway.url}/mcp`, { headers: bearer(other.token) })).status, 401);
});

test("E3: a reload that takes a policy away takes away what its tokens give", async () => {
  const { token } = await tokenFor({ sub: "max" });
  const client = await HttpClient.open(`${gateway.url}/mcp`, bearer(token));
  const { key_server } = config();
  const invoke = async () => (await client.invoke("notes", "read_note")).body;
  await reload({ ...key_server, policies: [{ match: { group: "staff" }, scopes: { tools: ["read_none"] } }] });
  assert.match(await invoke(), /FORBIDDEN|NOT_FOUND/);
  await reload(key_server);
  assert.doesNotMatch(await invoke(), /FORBIDDEN|NOT_FOUND/);
  await reload({ ...key_server, policies: [] });
  assert.equal((await client.request("ping")).status, 403);
  await reload({ ...key_server, enabled: false });
  assert.equal((await client.request("ping")).status, 401);
  await reload(key_server);
});

test("T13: neither ID tokens nor gateway tokens nor the admin token are in the log or on the disk", async () => {
  const idToken = await provider.sign({ sub: "canary" });
  const { body } = await exchange(idToken);
  await HttpClient.open(`${gateway.url}/mcp`, bearer(body.access_token));
  await exchange(await provider.sign({ aud: "client-2" }));
  await gateway.logged(/Gateway token issued .*ada@example\.com/);
  await gateway.logged(/No gateway token issued/);
  const files = readdirSync(gateway.folder, { recursive: true, encoding: "utf8" })
    .map((name) => join(gateway.folder, name))
    .filter((path) => statSync(path).isFile());
  const texts = [gateway.stderr(), ...files.map((path) => readFileSync(path, "utf8"))].join("\n");
  for (const secret of [idToken.split(".")[2] as string, body.access_token, adminToken])
    assert.ok(!texts.includes(secret));
});
