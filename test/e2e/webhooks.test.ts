/** Webhooks through the public door of the executable: every service signs byte for byte as it does. */
import assert from "node:assert/strict";
import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { until } from "../fixtures/processes.ts";
import { senders } from "../fixtures/webhook-senders.ts";
import { HttpClient, type Loose } from "../security/clients.ts";
import { type GatewayProcess, startGateway } from "./harness.ts";

const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const env = { HOOK_SECRET: secret };
const config = { capabilities: { directories: ["capabilities"], builtin: false } };

function write({ folder }: GatewayProcess, name: string, webhooks: object): void {
  mkdirSync(join(folder, "capabilities"), { recursive: true });
  const path = join(folder, "capabilities", `${name}.yaml`);
  writeFileSync(`${path}.tmp`, JSON.stringify({ description: "Events of a service", providers: {}, webhooks }));
  renameSync(`${path}.tmp`, path);
}

/** The event stream of a session, with every message of it so far. */
async function listen(client: HttpClient, lastEventId?: string) {
  const end = new AbortController();
  const headers = {
    ...client.headers,
    accept: "text/event-stream",
    ...(lastEventId === undefined ? {} : { "last-event-id": lastEventId }),
  };
  const response = await fetch(client.url, { headers, signal: end.signal });
  assert.equal(response.status, 200);
  const messages: Loose[] = [];
  const ids: string[] = [];
  const reading = (async () => {
    let text = "";
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      const events = text.split("\n\n");
      text = events.pop()!;
      for (const event of events) {
        const data = /^data: (.+)$/m.exec(event)?.[1];
        if (data !== undefined) messages.push(JSON.parse(data));
        const id = /^id: (.+)$/m.exec(event)?.[1];
        if (id !== undefined) ids.push(id);
      }
    }
  })().catch(() => {});
  const stop = async () => {
    end.abort();
    await reading;
  };
  return { messages, ids, stop };
}

async function deliver({ url }: GatewayProcess, path: string, body: string, headers: Record<string, string>) {
  const response = await fetch(`${url}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body,
  });
  return { status: response.status, answer: (await response.json()) as Loose };
}

test("webhooks: each service's delivery reaches the client's stream, once, and is counted", async (t) => {
  const gateway = await startGateway(config, { env });
  t.after(() => gateway.stop());
  const headerNames = Object.keys(senders);
  const webhooks = Object.fromEntries(
    headerNames.map((header, at) => [
      `hook_${at}`,
      {
        path: `/service/${at}`,
        secret: "env:HOOK_SECRET",
        signature_header: header,
        transform: { event_type: "service.{kind}", data: { repo: "{repository.full_name}", at: "{at}" } },
      },
    ]),
  );
  write(gateway, "services", webhooks);
  const client = await HttpClient.open(`${gateway.url}/mcp`);
  const stream = await listen(client);
  for (const [at, header] of headerNames.entries()) {
    const body = JSON.stringify({
      kind: "push",
      at,
      repository: { full_name: "a/b" },
      webhookTimestamp: Date.now(),
      id: `evt_${at}`,
    });
    const headers = senders[header]!(body, secret, Date.now());
    const first = await deliver(gateway, `/webhooks/service/${at}`, body, headers);
    const { request_id: _id, ...answer } = first.answer;
    assert.deepEqual([first.status, answer], [200, { status: "received", notified: true, sessions: 1 }], header);
    assert.equal((await deliver(gateway, `/webhooks/service/${at}`, body, headers)).answer.notified, false, header);
    const forged = await deliver(gateway, `/webhooks/service/${at}`, `${body} `, {
      ...headers,
      ...(header === "X-Gitlab-Token" ? { "x-gitlab-token": "guess" } : {}),
    });
    assert.equal(forged.status, 401, header);
  }
  await until(() => stream.messages.length === headerNames.length);
  for (const [at, message] of stream.messages.entries()) {
    assert.equal(message.method, "notifications/message");
    const { level, logger, data } = message.params;
    assert.deepEqual([level, logger], ["info", `webhook.services.hook_${at}`]);
    assert.deepEqual(data.data, { repo: "a/b", at });
    assert.deepEqual([data.source, data.event_type], ["services", "service.push"]);
    assert.match(data.event_id, /^(msg_[12]|evt_\d)$/);
    assert.ok(Math.abs(Date.parse(data.received_at) - Date.now()) < 60_000);
  }
  const { message } = await client.tool("gateway_webhook_status");
  const status = JSON.parse(message.result.content[0].text);
  assert.deepEqual(
    [status.total_endpoints, status.total_received, status.total_delivered],
    [headerNames.length, headerNames.length * 3, headerNames.length],
  );
  const { stats, ...endpoint } = status.endpoints[0];
  assert.deepEqual(endpoint, {
    path: "/webhooks/service/0",
    method: "POST",
    capability: "services",
    webhook_name: "hook_0",
    signature_required: true,
    notify: true,
  });
  assert.deepEqual([stats.received, stats.delivered, stats.repeated, stats.signature_failures], [3, 1, 1, 1]);
  const metrics = await (await fetch(`${gateway.url}/metrics`)).text();
  assert.match(metrics, /^mcp_webhook_delivered_total\{capability="services",webhook="hook_0"\} 1$/m);
  assert.match(metrics, /^mcp_webhook_signature_failures_total\{capability="services",webhook="hook_8"\} 1$/m);
  assert.doesNotMatch(gateway.stderr(), /MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw/);
  await stream.stop();
});

test("webhooks: a client that lost its stream gets what came meanwhile; files and settings are live", async (t) => {
  const gateway = await startGateway(config, { env });
  t.after(() => gateway.stop());
  const sign = senders["X-Hub-Signature-256"]!;
  const hook = { path: "/github", secret: "{env.HOOK_SECRET}" };
  write(gateway, "github", { push: hook });
  let count = 0;
  const send = (path: string) => {
    const body = JSON.stringify({ count: ++count });
    return deliver(gateway, path, body, sign(body, secret, 0));
  };
  const client = await HttpClient.open(`${gateway.url}/mcp`);
  const first = await listen(client);
  assert.equal((await send("/webhooks/github")).status, 200);
  await until(() => first.messages.length === 1);
  const seen = first.ids.at(-1)!;
  assert.equal((await send("/webhooks/github")).status, 200);
  await first.stop();
  assert.equal((await send("/webhooks/github")).answer.sessions, 1);
  const second = await listen(client, seen);
  await until(() => second.messages.length === 2);
  const counts = second.messages.map(({ params }) => params.data.data.count);
  assert.deepEqual(counts, [2, 3]);

  const moved = async (path: string, status: number) => {
    // Until the change of the file is seen.
    for (let tries = 0; tries < 200 && (await send(path)).status !== status; tries++)
      await new Promise((resolve) => setTimeout(resolve, 25));
    assert.equal((await send(path)).status, status, path);
  };
  const server = { host: "127.0.0.1", port: gateway.port };
  const webhooks = { base_path: "/in", rate_limit: 0 };
  writeFileSync(gateway.configPath, JSON.stringify({ ...config, server, webhooks }));
  await until(() => gateway.stderr().includes("Configuration reloaded"));
  await moved("/in/github", 200);
  assert.equal((await send("/webhooks/github")).status, 404);
  write(gateway, "github", { push: { ...hook, path: "/elsewhere" } });
  await moved("/in/elsewhere", 200);
  assert.equal((await send("/in/github")).status, 404);
  rmSync(join(gateway.folder, "capabilities/github.yaml"));
  await moved("/in/elsewhere", 404);
  writeFileSync(gateway.configPath, JSON.stringify({ ...config, server, webhooks: { ...webhooks, enabled: false } }));
  write(gateway, "github", { push: hook });
  await until(() => gateway.stderr().split("Configuration reloaded").length === 3);
  assert.equal((await fetch(`${gateway.url}/in/github`, { method: "POST" })).status, 404);
  await second.stop();
});

test("webhooks: what came before a restart does not come again", async (t) => {
  const before = await startGateway(config, { env });
  t.after(() => before.stop());
  const hook = { push: { path: "/github", secret: "env:HOOK_SECRET" } };
  write(before, "github", hook);
  const body = '{"once":true}';
  const headers = { ...senders["X-Hub-Signature-256"]!(body, secret, 0), "x-github-delivery": "guid-1" };
  await HttpClient.open(`${before.url}/mcp`);
  assert.equal((await deliver(before, "/webhooks/github", body, headers)).answer.notified, true);
  const state = join(before.folder, "state");
  const ended = new Promise((resolve) => before.child.on("exit", resolve));
  before.child.kill("SIGTERM");
  await ended;
  const after = await startGateway(config, { env: { ...env, MCP_GATEWAY_CONFIG_DIR: state } });
  t.after(() => after.stop());
  write(after, "github", hook);
  await HttpClient.open(`${after.url}/mcp`);
  const again = await deliver(after, "/webhooks/github", body, headers);
  assert.deepEqual([again.status, again.answer.notified], [200, false]);
});
