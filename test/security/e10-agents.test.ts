/** Agents at the executable: tokens they sign themselves, labels they give, and the circuit of callers that keep failing. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { SignJWT } from "jose";
import { startGateway } from "../e2e/harness.ts";
import { until } from "../fixtures/processes.ts";
import { backendCommand, HttpClient, initializeMessage, type Loose, post } from "./clients.ts";

const secret = "the secret of the builder, long enough";
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const tool = (name: string, annotations: object) => ({
  name,
  description: name,
  inputSchema: { type: "object" },
  annotations,
});
const offer = {
  tools: [
    tool("read_note", { readOnlyHint: true }),
    tool("add_note", { destructiveHint: false }),
    tool("wipe", {}),
    "refuse",
  ],
};
const backends = { notes: { command: backendCommand(`--offer=${JSON.stringify(offer)}`) } };

function sign(claims: object = {}, key = secret): Promise<string> {
  const token = new SignJWT({ sub: "builder", ...claims }).setProtectedHeader({ alg: "HS256" });
  return token.setExpirationTime("5m").sign(new TextEncoder().encode(key));
}

test("E10: an agent sees and calls what its scopes give, and is on record by its token, whatever it says", async (t) => {
  const gateway = await startGateway(
    {
      capabilities: { enabled: false },
      auth: { enabled: true },
      agent_auth: {
        enabled: true,
        agents: [{ client_id: "builder", hs256_secret: "env:BUILDER_SECRET", scopes: ["tools:notes:*:write"] }],
      },
      security: { transparency_log: { enabled: true, path: "record.jsonl" }, agent_identity: { enabled: true } },
      backends,
    },
    { env: { BUILDER_SECRET: secret }, args: ["--log-level", "debug"] },
  );
  t.after(() => gateway.stop());
  const token = await sign();
  const client = await HttpClient.open(`${gateway.url}/mcp`, { ...bearer(token), "x-agent-id": "somebody" });
  const listed = (await client.tool("gateway_list_tools", { server: "notes" })).body;
  assert.match(listed, /read_note.*add_note/);
  assert.doesNotMatch(listed, /wipe/);
  assert.doesNotMatch((await client.invoke("notes", "add_note")).body, /FORBIDDEN|NOT_FOUND/);
  assert.match((await client.invoke("notes", "wipe")).body, /FORBIDDEN|NOT_FOUND/);
  const direct = await HttpClient.open(`${gateway.url}/mcp/notes`, bearer(await sign({ scope: "tools:notes:*:read" })));
  assert.doesNotMatch((await direct.tool("read_note")).body, /FORBIDDEN/);
  for (const name of ["add_note", "wipe"]) assert.match((await direct.tool(name)).body, /FORBIDDEN/, name);
  const forged = [sign({}, `${secret}!`), sign({ sub: "operator" }), sign({ aud: "https://other.test" })];
  for (const wrong of await Promise.all(forged))
    assert.equal((await post(`${gateway.url}/mcp`, initializeMessage(), bearer(wrong))).status, 401);
  const status = await fetch(`${gateway.url}/ui/api/config`, { headers: bearer(token) });
  assert.equal(status.status, 403, "never an admin");
  const record = join(gateway.folder, "record.jsonl");
  await until(() => existsSync(record) && readFileSync(record, "utf8").split("\n").length > 3);
  const entries = readFileSync(record, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Loose);
  for (const { agent, caller, principal } of entries) {
    assert.deepEqual([agent, caller], ["builder", "builder"]);
    assert.match(principal, /^agent:/);
  }
  await gateway.logged(/Call answered .*agent=builder/);
  for (const hidden of [secret, token.split(".")[2] as string]) assert.ok(!gateway.stderr().includes(hidden));
});

test("E10: a label is asked for and taken down where it is wanted, from the header or the address", async (t) => {
  const gateway = await startGateway({
    capabilities: { enabled: false },
    security: {
      transparency_log: { enabled: true, path: "record.jsonl" },
      agent_identity: { enabled: true, require_id: true, known_agents: ["robot"] },
    },
    backends,
  });
  t.after(() => gateway.stop());
  assert.equal((await post(`${gateway.url}/mcp`, initializeMessage())).status, 403);
  assert.equal((await post(`${gateway.url}/mcp`, initializeMessage(), { "x-agent-id": "other" })).status, 403);
  const client = await HttpClient.open(`${gateway.url}/mcp?agent_id=robot`);
  await client.invoke("notes", "read_note");
  const record = join(gateway.folder, "record.jsonl");
  await until(() => existsSync(record) && readFileSync(record, "utf8").includes('"agent":"robot"'));
});

test("D2: a caller that keeps failing by its own fault is refused for a while, and nobody else is", async (t) => {
  const gateway = await startGateway({
    capabilities: { enabled: false },
    auth: {
      enabled: true,
      api_keys: [
        { key: "key-a", name: "a", denied_tools: ["wipe"] },
        { key: "key-b", name: "b" },
      ],
      client_circuit_breaker: { failure_threshold: 3, success_threshold: 1, reset_timeout: "1s" },
    },
    backends,
  });
  t.after(() => gateway.stop());
  const [a, b] = await Promise.all(["key-a", "key-b"].map((key) => HttpClient.open(`${gateway.url}/mcp`, bearer(key))));
  await a!.tool("gateway_list_tools", {});
  for (let at = 0; at < 5; at++) await a!.invoke("notes", "refuse");
  assert.equal((await a!.request("ping")).status, 200, "what a server says is not the caller's fault");
  await a!.send("{nonsense");
  await a!.request("no/such/method");
  assert.match((await a!.invoke("notes", "wipe")).body, /FORBIDDEN|NOT_FOUND/);
  const refused = await a!.request("ping");
  assert.equal(refused.status, 503);
  assert.equal(refused.headers.get("retry-after"), "1");
  assert.equal(refused.message.error.code, -32_003);
  assert.equal(refused.message.error.data.code, "CLIENT_CIRCUIT_OPEN");
  assert.equal((await b!.request("ping")).status, 200);
  assert.equal((await fetch(`${gateway.url}/health`, { headers: bearer("key-a") })).status, 200, "that is about MCP");
  await sleep(refused.message.error.data.retry_after_ms);
  assert.equal((await a!.request("ping")).status, 200);
});
