/** Tokens of issuers and client certificates, at the executable: who comes in, with what, and what never leaves. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from "jose";
import { binaryPath, environmentIn, type GatewayProcess, startGateway } from "../e2e/harness.ts";
import { until } from "../fixtures/processes.ts";
import { openRaw } from "../fixtures/raw-web-socket.ts";
import { backendCommand, HttpClient, initializeMessage, type Loose, post } from "./clients.ts";
import { httpBackend } from "./http-backend.ts";

const publicUrl = "https://gateway.test";
const pair = await generateKeyPair("ES256");
let issuer = "";
let gateway: GatewayProcess;
let backend: Awaited<ReturnType<typeof httpBackend>>;
const identityProvider = createServer(async (request, response) => {
  const keys = [{ ...(await exportJWK(pair.publicKey)), kid: "1" }];
  response.end(JSON.stringify(request.url === "/keys" ? { keys } : { issuer, jwks_uri: `${issuer}/keys` }));
});
const tool = (name: string) => ({ name, description: name, inputSchema: { type: "object" } });
const offer = { tools: [tool("read_note"), tool("drop_note")] };
const config = () => ({
  capabilities: { enabled: false },
  server: { public_url: publicUrl },
  auth: {
    enabled: true,
    issuers: [
      {
        issuer,
        required_scopes: ["mcp:use"],
        rules: [{ claim: "groups", value: "readers", backends: ["web"], allowed_tools: ["read_*"] }],
      },
    ],
  },
  backends: { web: { http_url: backend.url }, local: { command: backendCommand(`--offer=${JSON.stringify(offer)}`) } },
});

before(async () => {
  await new Promise<void>((resolve) => identityProvider.listen(0, "127.0.0.1", resolve));
  issuer = `http://127.0.0.1:${(identityProvider.address() as { port: number }).port}`;
  backend = await httpBackend(offer);
  gateway = await startGateway(config(), { args: ["--log-level", "debug"] });
});
after(async () => {
  await gateway?.stop();
  await backend?.close();
  identityProvider.close();
});

function token(claims: JWTPayload = {}, seconds = 300): Promise<string> {
  return new SignJWT({
    iss: issuer,
    sub: "ada",
    aud: `${publicUrl}/mcp`,
    groups: ["readers"],
    scope: "mcp:use",
    ...claims,
  })
    .setProtectedHeader({ alg: "ES256", kid: "1" })
    .setExpirationTime(Math.floor(Date.now() / 1_000) + seconds)
    .sign(pair.privateKey);
}
const bearer = (value: string) => ({ authorization: `Bearer ${value}` });

test("E3: a client finds its way from the refusal to the issuer, and comes in with a token for the gateway", async () => {
  const refused = await post(`${gateway.url}/mcp`, initializeMessage());
  assert.equal(refused.status, 401);
  const challenge = refused.headers.get("www-authenticate") ?? "";
  const address = /resource_metadata="([^"]+)"/.exec(challenge)?.[1] ?? "";
  assert.ok(address.startsWith(publicUrl), challenge);
  const metadata = (await (await fetch(gateway.url + address.slice(publicUrl.length))).json()) as Loose;
  assert.equal(metadata.resource, `${publicUrl}/mcp`);
  assert.deepEqual(metadata.authorization_servers, [issuer]);
  const client = await HttpClient.open(`${gateway.url}/mcp`, bearer(await token()));
  assert.match((await client.invoke("web", "read_note")).body, /read_note|result/);
});

test("E2: the rights of a token hold in lists and in calls", async () => {
  const client = await HttpClient.open(`${gateway.url}/mcp`, bearer(await token()));
  const listed = (await client.tool("gateway_list_tools", {})).body;
  assert.match(listed, /read_note/);
  assert.doesNotMatch(listed, /drop_note|local/);
  for (const [server, name] of [
    ["web", "drop_note"],
    ["local", "read_note"],
  ] as const)
    assert.match((await client.invoke(server, name)).body, /FORBIDDEN|NOT_FOUND/, `${server}:${name}`);
});

test("T9: a token for another audience is refused, and one for us never reaches a server or the log", async () => {
  const wrong = await post(
    `${gateway.url}/mcp`,
    initializeMessage(),
    bearer(await token({ aud: "https://other.test" })),
  );
  assert.equal(wrong.status, 401);
  assert.match(wrong.headers.get("www-authenticate") ?? "", /error="invalid_token".*resource_metadata=/);
  const mine = await token({ jti: "canary" });
  const client = await HttpClient.open(`${gateway.url}/mcp`, bearer(mine));
  await client.invoke("web", "read_note");
  assert.ok(backend.requests.length > 0);
  const arrived = JSON.stringify(backend.requests);
  assert.doesNotMatch(arrived, /authorization/i);
  const [, , signature = ""] = mine.split(".");
  assert.ok(!gateway.stderr().includes(signature));
  assert.ok(!arrived.includes(signature));
});

test("T9: a WebSocket is let in by a token, and closed when its issuer goes", async () => {
  const mine = await startGateway(config());
  try {
    const socket = await openRaw(mine.port, { headers: { Authorization: `Bearer ${await token()}` } });
    assert.equal(socket.status, 101);
    assert.equal((await openRaw(mine.port)).status, 401);
    const client = await HttpClient.open(`${mine.url}/mcp`, bearer(await token()));
    const next = JSON.parse(readFileSync(mine.configPath, "utf8")) as Loose;
    next.auth = { enabled: true, api_keys: [{ key: "another" }] };
    writeFileSync(`${mine.configPath}.new`, JSON.stringify(next));
    renameSync(`${mine.configPath}.new`, mine.configPath);
    await until(() => mine.stderr().includes("Configuration reloaded"));
    assert.equal((await client.request("ping")).status, 401);
    socket.send(JSON.stringify({ jsonrpc: "2.0", id: 1, method: "ping" }));
    await until(() => socket.close() !== undefined);
    assert.equal(socket.close()?.code, 1008);
  } finally {
    await mine.stop();
  }
});

test("E2: mTLS with certificates of its own making: rights by certificate, over HTTPS", async () => {
  const folder = mkdtempSync(join(tmpdir(), "access-tls-"));
  const tls = (...args: string[]) => execFileSync(binaryPath, ["tls", ...args], { cwd: folder, stdio: "pipe" });
  const by = ["--ca-cert", "ca.crt", "--ca-key", "ca.key"];
  tls("init-ca", "-o", ".");
  tls("issue-server", "--cn", "localhost", "--san-dns", "127.0.0.1", ...by, "-o", ".");
  tls("issue-client", "--cn", "ada", "--spiffe-uri", "spiffe://test/ada", ...by);
  const path = (name: string) => join(folder, name);
  const [ca, cert, key] = ["ca.crt", "ada.crt", "ada.key"].map((name) => readFileSync(path(name), "utf8"));
  const mtls = {
    enabled: true,
    server_cert: path("server.crt"),
    server_key: path("server.key"),
    ca_cert: path("ca.crt"),
    require_client_cert: false,
    policies: [{ match: { san_uri: "spiffe://test/*" }, allow: { backends: ["local"] }, deny: { tools: ["drop_*"] } }],
  };
  const mine = await startGateway({ ...config(), auth: {}, server: {}, mtls });
  try {
    const ask = async (method: string, params: object, headers: Record<string, string> = {}, known = true) => {
      const tls = { ca, ...(known && { cert, key }) };
      const response = await fetch(`${mine.url}/mcp`, {
        method: "POST",
        headers: { "content-type": "application/json", accept: "application/json, text/event-stream", ...headers },
        body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
        keepalive: false,
        tls,
      } as RequestInit);
      return { status: response.status, id: response.headers.get("mcp-session-id") ?? "", text: await response.text() };
    };
    const { params } = initializeMessage() as Loose;
    assert.equal((await ask("initialize", params, {}, false)).status, 401);
    const health = execFileSync(binaryPath, ["health", "--config", mine.configPath], {
      env: environmentIn(mine.folder),
    });
    assert.match(String(health), /"status":"healthy"/, "this machine asks its own gateway whatever its certificate");
    const opened = await ask("initialize", params);
    assert.equal(opened.status, 200);
    const session = { "mcp-session-id": opened.id };
    const listed = await ask("tools/call", { name: "gateway_list_tools", arguments: {} }, session);
    assert.match(listed.text, /read_note/);
    assert.doesNotMatch(listed.text, /drop_note|web/);
    assert.equal(
      (await ask("ping", {}, session, false)).status,
      401,
      "a session is not let in without its certificate",
    );
  } finally {
    await mine.stop();
    rmSync(folder, { recursive: true });
  }
});
