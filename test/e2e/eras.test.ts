/** The stateless revision and the older ones meet in all four combinations, over HTTP and over pipes. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Client as ModernClient, StreamableHTTPClientTransport as ModernHttp } from "@modelcontextprotocol/client";
import { StdioClientTransport as ModernStdio } from "@modelcontextprotocol/client/stdio";
import { Client as LegacyClient } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport as LegacyHttp } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import type { Transport as LegacyTransport } from "@modelcontextprotocol/sdk/shared/transport.js";
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  ListRootsRequestSchema,
} from "@modelcontextprotocol/sdk/types.js";
import { until } from "../fixtures/processes.ts";
import { scriptArgv } from "../fixtures/script-argv.ts";
import { type SdkServer, sdkV1Streamable } from "../fixtures/sdk-servers.ts";
import {
  binaryPath,
  endedWithTests,
  environmentIn,
  type GatewayProcess,
  root,
  startGateway,
  writeConfig,
} from "./harness.ts";

const modernVersion = "2026-07-28";
const modernFixture = scriptArgv("conformance-modern-server.ts");
const legacyFixture = scriptArgv("conformance-server.ts");
const servers = ["modern", "modern-pipe", "legacy", "legacy-pipe"] as const;
let config: object;
let gateway: GatewayProcess;
let hanging: SdkServer;
const stops: (() => void)[] = [];

async function startFixture([file, ...args]: string[]): Promise<string> {
  const child = endedWithTests(spawn(file as string, args, { cwd: root, stdio: ["ignore", "pipe", "inherit"] }));
  stops.push(() => child.kill());
  const [line] = await once(child.stdout, "data");
  return String(line).trim();
}

before(async () => {
  hanging = await sdkV1Streamable({ enableJsonResponse: false });
  stops.push(() => void hanging.close());
  config = {
    capabilities: { builtin: false, directories: ["asking"] },
    failsafe: { rate_limit: { enabled: false } },
    // One of the tools changes its description to show that it can.
    security: { tool_integrity: { on_change: "warn" } },
    backends: {
      modern: { http_url: await startFixture(modernFixture) },
      "modern-pipe": { command: [...modernFixture, "--stdio"], cwd: root },
      legacy: { http_url: await startFixture(legacyFixture) },
      hanging: { http_url: hanging.url },
      "legacy-pipe": { command: [...legacyFixture, "--stdio"], cwd: root },
    },
  };
  gateway = await startGateway(config);
  mkdirSync(join(gateway.folder, "asking"));
  for (const server of servers) {
    const primary = { service: "mcp", config: { server, tool: "test_elicitation" } };
    const name = `ask_${server.replace("-", "_")}`;
    const capability = JSON.stringify({ name, description: "Asks", providers: { primary } });
    writeFileSync(join(gateway.folder, "asking", `${name}.yaml`), capability);
  }
});
after(async () => {
  await gateway?.stop();
  for (const stop of stops) stop();
});

const answers = { username: "ada", email: "ada@example.com" };
const sampled = { model: "m", role: "assistant" as const, content: { type: "text" as const, text: "sampled by ada" } };

async function modernClient(
  transport: ModernHttp | ModernStdio,
  capabilities: object = { sampling: {}, elicitation: {}, roots: {} },
) {
  const client = new ModernClient(
    { name: "e2e", version: "1" },
    { capabilities, versionNegotiation: { mode: { pin: modernVersion } } },
  );
  const asked: unknown[] = [];
  if ("elicitation" in capabilities)
    client.setRequestHandler("elicitation/create", ({ params }) => {
      asked.push(params.message);
      return { action: "accept" as const, content: answers };
    });
  if ("sampling" in capabilities) client.setRequestHandler("sampling/createMessage", () => sampled);
  if ("roots" in capabilities) client.setRequestHandler("roots/list", () => ({ roots: [{ uri: "file:///home/ada" }] }));
  await client.connect(transport);
  assert.equal(client.getNegotiatedProtocolVersion(), modernVersion);
  return { client, asked };
}

const modernHttp = (path: string) => new ModernHttp(new URL(`${gateway.url}${path}`));

function textOf(result: object): string {
  return JSON.stringify((result as { content?: unknown }).content);
}

test("a stateless client calls tools of servers of both eras, which ask it things meanwhile", async () => {
  const { folder, configPath } = writeConfig(config);
  const stdio = new ModernStdio({
    command: binaryPath,
    args: ["serve", "--stdio", "--config", configPath],
    env: environmentIn(folder),
    stderr: "ignore",
  });
  const doors = [modernHttp("/mcp"), stdio];
  for (const transport of doors) {
    const { client, asked } = await modernClient(transport);
    for (const server of servers) {
      const call = (tool: string, args: object = {}) =>
        client.callTool({ name: "gateway_invoke", arguments: { server, tool, arguments: args } });
      assert.match(textOf(await call("test_simple_text")), /simple text response/, server);
      assert.match(textOf(await call("test_elicitation", { message: "Who?" })), /ada@example\.com/, server);
      assert.match(textOf(await call("test_sampling", { prompt: "Hi" })), /sampled by ada/, server);
    }
    assert.equal(asked.length, servers.length);
    await client.close();
  }
  for (const server of servers) {
    const { client } = await modernClient(modernHttp(`/mcp/${server}`));
    const result = await client.callTool({ name: "test_elicitation", arguments: { message: "Who?" } });
    assert.match(textOf(result), /ada@example\.com/, server);
    await client.close();
  }
});

test("what the server behind a capability asks reaches the client of the capability, in all eras", async () => {
  const legacy = new LegacyClient({ name: "e2e", version: "1" }, { capabilities: { elicitation: {} } });
  legacy.setRequestHandler(ElicitRequestSchema, () => ({ action: "accept" as const, content: answers }));
  await legacy.connect(new LegacyHttp(new URL(`${gateway.url}/mcp`)) as LegacyTransport);
  const { client: modern } = await modernClient(modernHttp("/mcp"));
  for (const server of servers) {
    const tool = `ask_${server.replace("-", "_")}`;
    const params = {
      name: "gateway_invoke",
      arguments: { server: "gateway", tool, arguments: { message: "Who?" } },
    };
    for (const result of [await legacy.callTool(params), await modern.callTool(params)])
      assert.match(textOf(result), /ada@example\.com/, server);
  }
  await legacy.close();
  await modern.close();
});

test("an older client is asked what a stateless server needs, over the stream of its call", async () => {
  for (const server of ["modern", "modern-pipe"]) {
    const client = new LegacyClient(
      { name: "e2e", version: "1" },
      { capabilities: { sampling: {}, elicitation: {}, roots: {} } },
    );
    client.setRequestHandler(ElicitRequestSchema, () => ({ action: "accept" as const, content: answers }));
    client.setRequestHandler(CreateMessageRequestSchema, () => sampled);
    client.setRequestHandler(ListRootsRequestSchema, () => ({ roots: [{ uri: "file:///home/ada" }] }));
    await client.connect(new LegacyHttp(new URL(`${gateway.url}/mcp/${server}`)) as LegacyTransport);
    const result = await client.callTool({ name: "test_elicitation", arguments: { message: "Who?" } });
    assert.match(textOf(result), /ada@example\.com/);
    assert.deepEqual(
      Object.keys(result).filter((key) => ["resultType", "ttlMs", "cacheScope"].includes(key)),
      [],
    );
    await client.ping();
    await client.close();
  }
});

/** One request without the help of an SDK. */
async function post(path: string, method: string, params: object, headers: Record<string, string> = {}) {
  const response = await fetch(`${gateway.url}${path}`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      "mcp-protocol-version": modernVersion,
      "mcp-method": method,
      ...headers,
    },
    body: JSON.stringify({ jsonrpc: "2.0", id: 7, method, params }),
  });
  const text = await response.text();
  const json = text.startsWith("{") ? text : (/^data: (\{.*)$/m.exec(text)?.[1] ?? "null");
  return { status: response.status, body: JSON.parse(json) };
}

const meta = (capabilities: object = {}) => ({
  _meta: {
    "io.modelcontextprotocol/protocolVersion": modernVersion,
    "io.modelcontextprotocol/clientCapabilities": capabilities,
  },
});

interface Asking {
  readonly inputRequests: Record<string, { method: string; params: object }>;
  readonly requestState: string;
}

async function beginAsking(): Promise<Asking> {
  const params = { name: "test_elicitation", arguments: { message: "Who?" }, ...meta({ elicitation: {} }) };
  const { body } = await post("/mcp/legacy", "tools/call", params, { "mcp-name": "test_elicitation" });
  assert.equal(body.result.resultType, "input_required");
  return body.result;
}

function goOn(state: string, inputResponses: unknown, args: object = { message: "Who?" }) {
  const params = {
    name: "test_elicitation",
    arguments: args,
    ...meta({ elicitation: {} }),
    inputResponses,
    requestState: state,
  };
  return post("/mcp/legacy", "tools/call", params, { "mcp-name": "test_elicitation" });
}

test("a call that waits for its client goes on only with its own state and the same request", async () => {
  const { inputRequests, requestState } = await beginAsking();
  const [[key, question] = ["", undefined]] = Object.entries(inputRequests);
  assert.equal(question?.method, "elicitation/create");
  const accepted = { [key]: { action: "accept", content: answers } };
  for (const [state, args] of [
    [`${requestState}x`, undefined],
    [requestState, { message: "Another" }],
    ["nonsense", undefined],
  ] as const) {
    const { status, body } = await goOn(state, accepted, args);
    assert.equal(status, 200);
    assert.equal(body.error.code, -32_602, JSON.stringify(body));
  }
  // No answer, and one to a question that was not asked: it asks again.
  for (const none of [undefined, {}, null, { other: accepted[key] }]) {
    const again = await goOn(requestState, none);
    assert.equal(again.body.result.resultType, "input_required");
    assert.deepEqual(again.body.result.inputRequests, inputRequests);
  }
  const done = await goOn(requestState, accepted);
  assert.equal(done.body.result.resultType, "complete");
  assert.match(textOf(done.body.result), /ada@example\.com/);
  const late = await goOn(requestState, accepted);
  assert.match(late.body.error.message, /is over/);
});

test("a client that can be asked nothing is not, and the server is told", async () => {
  const params = { name: "test_elicitation", arguments: { message: "Who?" }, ...meta() };
  const { body } = await post("/mcp/legacy", "tools/call", params, { "mcp-name": "test_elicitation" });
  assert.match(JSON.stringify(body), /no one to ask/);
});

test("hanging up cancels the call at the server", async () => {
  const { client } = await modernClient(modernHttp("/mcp/hanging"));
  const controller = new AbortController();
  const call = client.callTool({ name: "hang", arguments: {} }, { signal: controller.signal });
  await until(() => hanging.sessions.size > 0);
  setTimeout(() => controller.abort(), 100);
  await assert.rejects(call);
  await until(() => hanging.ends.includes("aborted"));
  await client.close();
});

test("listening carries what was asked for: list changes of both eras, and resources that are watched", async () => {
  const { client } = await modernClient(modernHttp("/mcp/modern"));
  const changes: string[] = [];
  client.setNotificationHandler("notifications/tools/list_changed", () => void changes.push("tools"));
  client.setNotificationHandler("notifications/prompts/list_changed", () => void changes.push("prompts"));
  const subscription = await client.listen({ toolsListChanged: true });
  await client.callTool({ name: "test_trigger_prompt_change", arguments: {} });
  await client.callTool({ name: "test_trigger_tool_change", arguments: {} });
  await until(() => changes.length > 0);
  assert.deepEqual(changes, ["tools"]);
  await subscription.close();
  await client.close();
});
