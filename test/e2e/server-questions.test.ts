/** Sampling, elicitation and roots: what servers ask reaches exactly the client they work for, over every door. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { after, before, test } from "node:test";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js";
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  ListRootsRequestSchema,
} from "@modelcontextprotocol/sdk/types.js";
import { scriptArgv } from "../fixtures/script-argv.ts";
import {
  binaryPath,
  endedWithTests,
  environmentIn,
  type GatewayProcess,
  root,
  serverScript,
  startGateway,
  writeConfig,
} from "./harness.ts";

const fixture = scriptArgv("conformance-server.ts");
let config: object;
let gateway: GatewayProcess;
let stopFixture = () => {};

before(async () => {
  const [file, ...args] = fixture;
  const child = endedWithTests(spawn(file as string, args, { cwd: root, stdio: ["ignore", "pipe", "inherit"] }));
  const [line] = await once(child.stdout, "data");
  stopFixture = () => child.kill();
  config = {
    capabilities: { enabled: false },
    failsafe: { rate_limit: { enabled: false } },
    backends: {
      posted: { http_url: String(line).trim() },
      piped: { command: [...fixture, "--stdio"], cwd: root },
      everything: { command: ["node", serverScript("everything"), "stdio"] },
    },
  };
  gateway = await startGateway(config);
});
after(async () => {
  await gateway?.stop();
  stopFixture();
});

/** A client that signs all its answers. */
async function connect(
  name: string,
  transport: unknown,
  capabilities: object = { sampling: {}, elicitation: {}, roots: {} },
) {
  const client = new Client({ name, version: "1" }, { capabilities });
  if ("sampling" in capabilities)
    client.setRequestHandler(CreateMessageRequestSchema, () => ({
      model: "test",
      role: "assistant" as const,
      content: { type: "text" as const, text: `sampled by ${name}` },
    }));
  if ("elicitation" in capabilities)
    client.setRequestHandler(ElicitRequestSchema, async () => {
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 20));
      return { action: "accept" as const, content: { username: name, email: `${name}@example.com` } };
    });
  if ("roots" in capabilities)
    client.setRequestHandler(ListRootsRequestSchema, () => ({ roots: [{ uri: `file:///home/${name}` }] }));
  await client.connect(transport as Transport);
  const call = async (tool: string, args: object, server?: string) => {
    const target = server === undefined ? [tool, args] : ["gateway_invoke", { server, tool, arguments: args }];
    const result = await client.callTool({
      name: target[0] as string,
      arguments: target[1] as Record<string, unknown>,
    });
    return { isError: result.isError === true, text: JSON.stringify(result.content) };
  };
  return { client, call };
}

const http = (path: string) => new StreamableHTTPClientTransport(new URL(`${gateway.url}${path}`));

test("a server behind /mcp, /mcp/{backend} and stdio gets its answers from the client", async () => {
  const { folder, configPath } = writeConfig(config);
  const doors: [name: string, transport: unknown, servers: (string | undefined)[]][] = [
    ["aggregate", http("/mcp"), ["posted", "piped"]],
    ["direct", http("/mcp/posted"), [undefined]],
    ["pipe", http("/mcp/piped"), [undefined]],
    [
      "stdio",
      new StdioClientTransport({
        command: binaryPath,
        args: ["serve", "--stdio", "--config", configPath],
        env: environmentIn(folder),
        stderr: "ignore",
      }),
      ["posted", "piped"],
    ],
  ];
  for (const [name, transport, servers] of doors) {
    const { client, call } = await connect(name, transport);
    for (const server of servers) {
      assert.match((await call("test_sampling", { prompt: "Hi" }, server)).text, new RegExp(`sampled by ${name}`));
      assert.match((await call("test_elicitation", { message: "Who?" }, server)).text, new RegExp(`${name}@example`));
    }
    await client.close();
  }
});

test("roots are those of the client that calls, and a question outlives the time of an attempt", async () => {
  const { client, call } = await connect("ada", http("/mcp"));
  assert.match((await call("get-roots-list", {}, "everything")).text, /file:\/\/\/home\/ada/);
  await client.close();
  const slow = await startGateway({
    ...config,
    backends: { piped: { command: [...fixture, "--stdio"], cwd: root, timeout: "500ms" } },
  });
  try {
    const thinker = await connect("thinker", new StreamableHTTPClientTransport(new URL(`${slow.url}/mcp/piped`)));
    thinker.client.setRequestHandler(ElicitRequestSchema, async () => {
      await new Promise((resolve) => setTimeout(resolve, 1_200));
      return { action: "decline" as const };
    });
    assert.match((await thinker.call("test_elicitation", { message: "Sure?" })).text, /decline/);
    await thinker.client.close();
  } finally {
    await slow.stop();
  }
});

test("T7: a hundred questions to five clients at once, each answered by the one who called", async () => {
  const names = ["anna", "bert", "cleo", "dora", "emil"];
  const clients = await Promise.all(names.map((name) => connect(name, http("/mcp"))));
  const ask = async (name: string, call: (typeof clients)[number]["call"], server: string) => {
    const { text, isError } = await call("test_elicitation", { message: "Who?" }, server);
    return { name, isError, text };
  };
  const rounds = Array.from({ length: 20 });
  const posted = await Promise.all(
    clients.flatMap(({ call }, at) => rounds.map(() => ask(names[at] as string, call, "posted"))),
  );
  for (const { name, text } of posted) assert.match(text, new RegExp(`${name}@example`));
  // One pipe does not say whose call a question belongs to: while several wait, nobody is asked, and never the wrong one.
  const piped = await Promise.all(
    clients.flatMap(({ call }, at) => rounds.map(() => ask(names[at] as string, call, "piped"))),
  );
  for (const { name, isError, text } of piped)
    assert.match(text, isError ? /no one to ask/ : new RegExp(`${name}@example`));
  for (const { client } of clients) await client.close();
});

test("a call whose stream the server ends, to be polled for the rest, gets its answer", async () => {
  const { client, call } = await connect("patient", http("/mcp"));
  assert.match((await call("test_reconnection", {}, "posted")).text, /Delivered on the stream that was resumed/);
  await client.close();
});

test("a client that declared nothing is asked nothing, and its call says so", async () => {
  const { client, call } = await connect("plain", http("/mcp/posted"), {});
  await assert.rejects(call("test_sampling", { prompt: "Hi" }), /no one to ask/);
  await client.close();
});
