/** OAuth towards HTTP servers, by the executable: from the first refused call to a login that outlives the gateway. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { type OAuthServer, oauthServer } from "../fixtures/oauth-server.ts";
import { until } from "../fixtures/processes.ts";
import { binaryPath, endedWithTests, environmentIn, type GatewayProcess, startGateway } from "./harness.ts";

let server: OAuthServer;
before(async () => {
  server = await oauthServer();
});
after(() => server.close());

const config = (more: object = {}) => ({
  capabilities: { enabled: false },
  backends: { guarded: { http_url: server.url } },
  logging: { level: "debug" },
  ...more,
});

async function connect(gateway: GatewayProcess, options: object = {}, headers: Record<string, string> = {}) {
  const client = new Client({ name: "e2e", version: "1" }, options);
  await client.connect(new StreamableHTTPClientTransport(new URL(`${gateway.url}/mcp`), { requestInit: { headers } }));
  const call = async () => {
    const args = { server: "guarded", tool: "secret", arguments: {} };
    return JSON.stringify(await client.callTool({ name: "gateway_invoke", arguments: args }));
  };
  return { client, call };
}

function loginUrlIn(text: string): string {
  const url = /Open (http\S+) in a browser/.exec(text)?.[1];
  assert.ok(url, text);
  return url;
}

async function runAuth(gateway: GatewayProcess, ...args: string[]) {
  const child = endedWithTests(
    spawn(binaryPath, ["auth", ...args, "--config", gateway.configPath], { env: environmentIn(gateway.folder) }),
  );
  let output = "";
  child.stdout.on("data", (text) => (output += text));
  child.stderr.on("data", (text) => (output += text));
  return { exited: once(child, "exit").then(([code]) => code as number), output: () => output };
}

function assertNoSecrets(...texts: string[]): void {
  assert.ok(server.secrets.length > 0);
  for (const secret of server.secrets) for (const text of texts) assert.ok(!text.includes(secret), `${secret} got out`);
}

test("a call says where to log in; after the login it works, also after kill -9, and no token is ever shown", async (t) => {
  const state = mkdtempSync(join(tmpdir(), "oauth-state-"));
  t.after(() => rmSync(state, { recursive: true }));
  const env = { MCP_GATEWAY_CONFIG_DIR: state };
  const gateway = await startGateway(config(), { env });
  const first = await connect(gateway);
  const refusal = await first.call();
  assert.match(refusal, /LOGIN_REQUIRED/);
  const waiting = async () => {
    const response = await fetch(`${gateway.url}/ui/api/control-plane`);
    const { decision_queue } = (await response.json()) as { decision_queue: { target_kind: string; server: string }[] };
    return decision_queue.map(({ target_kind, server: name }) => `${target_kind} ${name}`);
  };
  assert.deepEqual(await waiting(), ["login guarded"]);
  assert.equal((await fetch(loginUrlIn(refusal))).status, 200);
  assert.match(await first.call(), /the secret/);
  assert.deepEqual(await waiting(), []);
  await gateway.stop("SIGKILL");
  const again = await startGateway(config(), { env });
  const second = await connect(again);
  assert.match(await second.call(), /the secret/);
  const kept = readdirSync(join(state, "oauth")).map((name) => readFileSync(join(state, "oauth", name), "utf8"));
  assertNoSecrets(gateway.stderr(), again.stderr(), refusal, ...kept);
  await again.stop();
});

test("mcp-gateway auth: login in a browser, status, logout", async () => {
  const gateway = await startGateway(config());
  const login = await runAuth(gateway, "login", "guarded", "--no-browser");
  await until(() => /http:\/\/\S+/.test(login.output()));
  assert.equal((await fetch(/http:\/\/\S+/.exec(login.output())?.[0] as string)).status, 200);
  assert.equal(await login.exited, 0, login.output());
  assert.match(login.output(), /Logged in to "guarded"/);
  const { call } = await connect(gateway);
  assert.match(await call(), /the secret/, "a running gateway uses it");
  const repeated = await runAuth(gateway, "login", "guarded");
  assert.equal(await repeated.exited, 0);
  assert.match(repeated.output(), /nothing to log in to/);
  const status = await runAuth(gateway, "status");
  assert.equal(await status.exited, 0);
  assert.match(status.output(), /guarded: logged in until .*renewed by itself/);
  assert.equal(await (await runAuth(gateway, "logout", "guarded")).exited, 0);
  const after = await runAuth(gateway, "status");
  await after.exited;
  assert.match(after.output(), /guarded: not logged in/);
  const unknown = await runAuth(gateway, "login", "guardd");
  assert.equal(await unknown.exited, 1);
  assert.match(unknown.output(), /Did you mean "guarded"/i);
  assertNoSecrets(login.output(), status.output(), gateway.stderr());
  await gateway.stop();
});

test("client_credentials: the first call is let in, and nobody has to log in", async () => {
  const [client_id, client_secret] = server.machine.split(":") as [string, string];
  const oauth = { grant_type: "client_credentials", client_id, client_secret: "env:ROBOT_SECRET" };
  const gateway = await startGateway(config({ backends: { guarded: { http_url: server.url, oauth } } }), {
    env: { ROBOT_SECRET: client_secret },
  });
  const { call } = await connect(gateway);
  const asked = server.requests.length;
  assert.match(await call(), /the secret/);
  assert.ok(server.requests.slice(asked).includes("POST /token client_credentials"));
  assert.ok(!server.requests.slice(asked).some((line) => line.startsWith("GET /authorize")));
  assertNoSecrets(gateway.stderr());
  assert.ok(!gateway.stderr().includes(client_secret));
  await gateway.stop();
});

test("a host that shows addresses to its user gets the login as one, in both eras", async () => {
  for (const mode of ["legacy", { pin: "2026-07-28" }] as const) {
    const gateway = await startGateway(config());
    const shown: string[] = [];
    const { client, call } = await connect(gateway, {
      capabilities: { elicitation: { url: {} } },
      versionNegotiation: { mode },
    });
    client.setRequestHandler("elicitation/create", async ({ params }) => {
      const { url } = params as { url: string };
      shown.push(url);
      await fetch(url);
      return { action: "accept" as const };
    });
    if (mode === "legacy") {
      const error = await call().then(
        () => assert.fail("It was let in"),
        (reason: { code: number; data: { elicitations: { url: string; mode: string }[] } }) => reason,
      );
      assert.equal(error.code, -32_042);
      assert.equal(error.data.elicitations[0]?.mode, "url");
      await fetch(error.data.elicitations[0]?.url as string);
    }
    assert.match(await call(), /the secret/);
    assert.equal(shown.length, mode === "legacy" ? 0 : 1);
    await gateway.stop();
  }
});

test("T8: callers with keys of their own do not act as the owner, unless the account is for all", async () => {
  const auth = { enabled: true, bearer_token: "owner-token", api_keys: [{ key: "guest-token", name: "guest" }] };
  const as = (token: string) => ({ authorization: `Bearer ${token}` });
  for (const shared_account of [false, true]) {
    const backends = { guarded: { http_url: server.url, oauth: { shared_account } } };
    const gateway = await startGateway(config({ auth, backends }));
    const owner = await connect(gateway, {}, as("owner-token"));
    await fetch(loginUrlIn(await owner.call()));
    assert.match(await owner.call(), /the secret/);
    const guest = await connect(gateway, {}, as("guest-token"));
    assert.match(await guest.call(), shared_account ? /the secret/ : /FORBIDDEN.*login of the gateway's owner/);
    await gateway.stop();
  }
});

test("an A2A agent that lets nobody in: its card is read, its first message says where to log in", async () => {
  const gateway = await startGateway({ ...config(), backends: { agent: { a2a_url: server.url } } });
  const { client } = await connect(gateway);
  const call = async () => {
    const args = { server: "agent", tool: "send_message", arguments: { message: "Tell me" } };
    return JSON.stringify(await client.callTool({ name: "gateway_invoke", arguments: args }));
  };
  const refusal = await call();
  assert.match(refusal, /LOGIN_REQUIRED/);
  assert.equal((await fetch(loginUrlIn(refusal))).status, 200);
  const answer = await call();
  assert.match(answer, /the secret/);
  const status = await runAuth(gateway, "status");
  await status.exited;
  assert.match(status.output(), /agent: logged in until/);
  assert.equal(await (await runAuth(gateway, "logout", "agent")).exited, 0);
  const login = await runAuth(gateway, "login", "agent", "--no-browser");
  await until(() => /http:\/\/\S+/.test(login.output()));
  assert.equal((await fetch(/http:\/\/\S+/.exec(login.output())?.[0] as string)).status, 200);
  assert.equal(await login.exited, 0, login.output());
  assert.match(await call(), /the secret/);
  assertNoSecrets(refusal, answer, gateway.stderr(), status.output(), login.output());
  await gateway.stop();
});
