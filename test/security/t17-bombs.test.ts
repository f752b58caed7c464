/**
 * T17: messages made to cost the reader more than the writer, from clients at both doors and from backends. Each gets
 * one answer of its own size at most, nobody else waits for it, and the memory comes back.
 */
import assert from "node:assert/strict";
import { isUtf8 } from "node:buffer";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type GatewayProcess, startGateway, writeConfig } from "../e2e/harness.ts";
import { until } from "../fixtures/processes.ts";
import type { McpServer } from "../fixtures/raw-mcp-server.ts";
import { openSse } from "../fixtures/raw-sse-client.ts";
import { frame, openRaw } from "../fixtures/raw-web-socket.ts";
import { nested } from "./backend.ts";
import {
  backendCommand,
  HttpClient,
  initializeMessage,
  type Loose,
  residentBytes,
  StdioClient,
  sendBytes,
  statusOf,
  toolCall,
} from "./clients.ts";
import { httpBackend } from "./http-backend.ts";

const capabilities = mkdtempSync(join(tmpdir(), "mcp-gateway-capabilities-"));
const config = (url: string) => ({
  capabilities: { directories: [capabilities], builtin: false },
  security: { ssrf_protection: false },
  server: { max_body_size: 1_048_576 },
  // The bombs are to be met again and again.
  failsafe: { error_budget: { enabled: false }, tool_error_budget: { enabled: false } },
  backends: {
    piped: { command: backendCommand(), failsafe: { rate_limit: { enabled: false } } },
    posted: { http_url: url },
    bomber: { command: backendCommand(`--offer={"schemaDepth":100000}`) },
    smaller: { command: backendCommand(`--offer={"schemaDepth":400}`) },
  },
});

/** A REST API that answers `/DEPTH/LEAVES` with that many zeros in that many lists. */
const api = createServer(({ url = "" }, response) => {
  const [, depth, leaves] = url.split("/").map(Number);
  response.setHeader("content-type", "application/json");
  response.end(nested(depth ?? 0, "[", Array(leaves).fill(0).join(), "]"));
});
const capability = (port: number) => `
name: api
description: Answers with lists in lists
schema:
  input:
    type: object
    properties: { depth: { type: integer }, leaves: { type: integer } }
providers:
  primary:
    service: rest
    config: { base_url: "http://127.0.0.1:${port}", path: "/{depth}/{leaves}", method: GET }
`;

let http: McpServer;
let gateway: GatewayProcess;
let stdio: StdioClient;
const home = { folder: "", configPath: "" };
before(async () => {
  await new Promise<void>((resolve) => api.listen(0, "127.0.0.1", resolve));
  writeFileSync(join(capabilities, "api.yaml"), capability((api.address() as AddressInfo).port));
  http = await httpBackend();
  gateway = await startGateway(config(http.url));
  Object.assign(home, writeConfig(config(http.url)));
  stdio = new StdioClient(home.configPath, home.folder);
  await stdio.ask(initializeMessage("start"), "start");
});
after(async () => {
  await stdio?.stop();
  await gateway?.stop();
  await http?.close();
  api.close();
  for (const folder of [home.folder, capabilities]) if (folder) rmSync(folder, { recursive: true, force: true });
});

const call = (inner: string) =>
  `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"gateway_invoke","arguments":{"server":"piped","tool":"any","arguments":${inner}}}}`;
const ping = (inner: string) => `{"jsonrpc":"2.0","id":7,"method":"ping"${inner}}`;
const utf8 = (hex: string) =>
  Buffer.concat([
    Buffer.from('{"jsonrpc":"2.0","id":7,"method":"ping","params":{"a":"'),
    Buffer.from(hex, "hex"),
    Buffer.from('"}}'),
  ]);
const manyKeys = (count: number) => Array.from({ length: count }, (_, at) => `"k${at}":0`).join();

/** JSON-RPC codes. */
const parse = -32_700;
const invalid = -32_600;
const unknown = -32_601;
/** Code of the error, or `undefined` for a result; and whether the answer can name the request. */
const bombs: [name: string, message: string | Uint8Array, code: number | undefined, named: boolean][] = [
  ["100,000 opening arrays", "[".repeat(100_000), invalid, false],
  ["100,000 opening objects", '{"a":'.repeat(100_000), invalid, false],
  ["100,000 arrays in the arguments", call(nested(100_000, "[", "", "]")), invalid, false],
  ["100 levels", call(nested(100, '{"a":', "0", "}")), invalid, false],
  ["brackets inside a string", call(`{"a":"${"[{".repeat(50_000)}"}`), undefined, true],
  ["50 levels", call(nested(50, '{"a":', "0", "}")), undefined, true],
  ["100,000 members of the envelope", `{${manyKeys(100_000)}}`, invalid, false],
  ["50,000 members of the arguments", call(`{${manyKeys(50_000)}}`), undefined, true],
  ["a member twice", ping(',"method":"tools/list"'), invalid, false],
  ["the id twice", ping(',"id":8'), invalid, false],
  ["a member twice by an escape", ping(',"m\\u0065thod":"tools/list"'), invalid, false],
  ["an id without bounds", '{"jsonrpc":"2.0","id":1e400,"method":"ping"}', invalid, false],
  ["an id that no number can hold", '{"jsonrpc":"2.0","id":9007199254740993,"method":"ping"}', invalid, false],
  ["an id of 100,000 digits", `{"jsonrpc":"2.0","id":1${"0".repeat(100_000)},"method":"ping"}`, invalid, false],
  [
    "numbers of 100,000 digits",
    call(`{"a":1${"0".repeat(100_000)},"b":1e-99999,"c":-0,"d":0.${"1".repeat(100_000)}}`),
    undefined,
    true,
  ],
  ["a method name of 500 kB", `{"jsonrpc":"2.0","id":7,"method":"${"m".repeat(500_000)}"}`, unknown, true],
  ["a string of backslashes", call(`{"a":"${"\\\\".repeat(200_000)}"}`), undefined, true],
  ["bytes that are no UTF-8", utf8("ff"), parse, false],
  ["an overlong slash", utf8("c0af"), parse, false],
  ["a surrogate in UTF-8", utf8("eda080"), parse, false],
  ["a cut character", utf8("f09f98"), parse, false],
  ["a NUL", utf8("00"), parse, false],
  ["nothing that is a message", "nul", parse, false],
  ["half a message", '{"jsonrpc":"2.0","id":7,"method":', parse, false],
  ["a batch of 5,000 numbers", `[${"1,".repeat(4_999)}1]`, invalid, false],
  ["an empty batch", "[]", invalid, false],
];

async function measured(pid: number | undefined, work: () => Promise<void>): Promise<void> {
  const before = await residentBytes(pid);
  await work();
  const grown = (await residentBytes(pid)) - before;
  assert.ok(grown < 120 * 1024 * 1024, `${Math.round(grown / 1_048_576)} MB more are in use`);
}

function checkAnswer(
  name: string,
  sent: string | Uint8Array,
  received: Loose,
  text: string,
  code: number | undefined,
  named: boolean,
) {
  assert.equal(received.error?.code, code, `${name}: ${text.slice(0, 500)}`);
  assert.equal(received.id, named ? 7 : null, name);
  // What was sent, once escaped, and the words around it.
  assert.ok(
    text.length <= sent.length * 2.1 + 2_000,
    `${name}: ${sent.length} bytes were answered with ${text.length}`,
  );
}

test("T17: over HTTP, each bomb gets one error, and a neighbour does not notice", () =>
  measured(gateway.child.pid, async () => {
    const client = await HttpClient.open(`${gateway.url}/mcp`);
    const neighbour = await HttpClient.open(`${gateway.url}/mcp`);
    await client.invoke("piped", "any");
    for (const [name, message, code, named] of bombs) {
      const startedMs = performance.now();
      const [reply, other] = await Promise.all([client.send(message), neighbour.request("ping")]);
      assert.ok(performance.now() - startedMs < 1_000, `${name}: took ${performance.now() - startedMs} ms`);
      checkAnswer(name, message, reply.message, reply.body, code, named);
      assert.deepEqual(other.message.result, {}, name);
    }
  }));

test("T17: over stdio, each bomb gets one error, and the next message its answer", () =>
  measured(stdio.child.pid, async () => {
    for (const [name, message, code, named] of bombs) {
      const answered = stdio.ask(message, named ? 7 : null);
      const [reply, other] = await Promise.all([
        answered,
        stdio.ask({ jsonrpc: "2.0", id: "next", method: "ping" }, "next"),
      ]);
      checkAnswer(name, message, reply, JSON.stringify(reply), code, named);
      assert.deepEqual(other.result, {}, name);
    }
  }));

test("T17: over WebSocket, each bomb gets one error, or its connection is closed when it is no text", () =>
  measured(gateway.child.pid, async () => {
    const connect = async () => {
      const opened = await openRaw(gateway.port);
      opened.send(initializeMessage("start"));
      await until(() => opened.messages.length === 1);
      return opened;
    };
    let client = await connect();
    for (const [name, message, code, named] of bombs) {
      const count = client.messages.length;
      const isText = typeof message === "string" || isUtf8(message);
      const isTooLarge = message.length > config("").server.max_body_size;
      client.socket.write(frame(message, { masked: true }));
      if (!isText || isTooLarge) {
        await until(() => client.isGone() || client.close() !== undefined);
        if (isTooLarge) assert.equal(client.close()?.code, 1009, name);
        client.socket.destroy();
        client = await connect();
        continue;
      }
      client.send({ jsonrpc: "2.0", id: "next", method: "ping" });
      await until(() => client.messages.length >= count + 2, 20_000);
      const [first, second] = client.messages.slice(count);
      const [reply, other] = first?.id === "next" ? [second, first] : [first, second];
      checkAnswer(name, message, reply, JSON.stringify(reply), code, named);
      assert.deepEqual(other?.["result"], {}, name);
    }
    client.socket.destroy();
  }));

test("T17: over HTTP+SSE, each bomb is refused or answered, and the next message gets its answer", () =>
  measured(gateway.child.pid, async () => {
    const client = await openSse(gateway.port);
    await client.post(initializeMessage("start"));
    await until(() => client.messages.length === 1);
    for (const [name, message, code, named] of bombs) {
      const count = client.messages.length;
      const { status, body } = await client.post(message);
      if (status !== 202) assert.equal(status, message.length > 1_048_576 ? 413 : 400, name);
      await client.post({ jsonrpc: "2.0", id: "next", method: "ping" });
      await until(() => client.messages.length === count + (status === 202 ? 2 : 1), 20_000);
      const [first, second] = client.messages.slice(count);
      const onStream = first?.id === "next" ? second : first;
      const reply: Loose = status === 202 ? onStream : JSON.parse(body);
      checkAnswer(name, message, reply, JSON.stringify(reply), code, named);
    }
    client.cut();
  }));

test("T17: a batch where batches are allowed is not answered with a hundred times its size", async () => {
  const initialize = JSON.stringify(initializeMessage()).replace("2025-11-25", "2025-03-26");
  const opened = await fetch(`${gateway.url}/mcp`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: initialize,
  });
  await opened.text();
  const headers = {
    "content-type": "application/json",
    "mcp-session-id": opened.headers.get("mcp-session-id") as string,
  };
  for (const entry of ["1", "{}", '""', '{"id":1}']) {
    const body = `[${Array.from({ length: 5_000 }, () => entry).join()}]`;
    const answered = await fetch(`${gateway.url}/mcp`, { method: "POST", headers, body });
    const { length } = await answered.text();
    assert.ok(length < body.length * 100 && length < 1_048_576, `${body.length} bytes were answered with ${length}`);
  }
});

test("T17: more than max_body_size is refused, announced or not", async () => {
  const head = `POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nConnection: close\r\n`;
  const big = `"${"x".repeat(1_100_000)}"`;
  const announced = `${head}Content-Length: ${big.length}\r\n\r\n${big}`;
  const chunked = `${head}Transfer-Encoding: chunked\r\n\r\n${big.length.toString(16)}\r\n${big}\r\n0\r\n\r\n`;
  const lying = `${head}Content-Length: 99999999999999\r\n\r\n${big}`;
  for (const request of [announced, chunked, lying])
    assert.equal(statusOf(await sendBytes(gateway.port, request)), 413);
});

const shapes = ["result", "spaced result", "error", "progress", "log", "request"];
for (const server of ["piped", "posted"]) {
  test(`T17: what backend "${server}" nests without end arrives or fails alone`, async () => {
    const client = await HttpClient.open(`${gateway.url}/mcp/${server}`);
    for (const as of shapes)
      for (const depth of [400, 20_000, 300_000]) {
        const startedMs = performance.now();
        const [reply, other] = await Promise.all([
          client.send(toolCall(7, "deep", { depth, as }, "token")),
          client.tool("echo", { token: "beside" }),
        ]);
        const what = `${depth} levels as ${as}: ${reply.body.slice(0, 500)}`;
        const passed = reply.body.includes(nested(depth, "[", "", "]"));
        const isRefused = reply.message.error !== undefined || reply.message.result.isError === true;
        if (["progress", "log", "request"].includes(as)) assert.ok(depth > 400 || !isRefused, what);
        else assert.equal(isRefused, as === "error" || !passed, what);
        if (depth === 400) assert.ok(passed || as === "request" || as === "log", what);
        assert.equal(other.message.result.content[0].text, "beside", what);
        assert.ok(performance.now() - startedMs < 1_000, `${what} took ${performance.now() - startedMs} ms`);
      }
    assert.equal((await client.tool("echo", { token: "after" })).message.result.content[0].text, "after");
  });
}

test("T17: a REST answer nested without end fails alone, and indentation makes none large", async () => {
  const client = await HttpClient.open(`${gateway.url}/mcp`);
  const ask = async (depth: number, leaves: number) => {
    const { message, body } = await client.invoke("gateway", "api", { depth, leaves });
    return { isError: message.result?.isError === true, text: message.result?.content[0].text as string, body };
  };
  const shallow = await ask(2, 2);
  assert.equal(shallow.text, JSON.stringify([[0, 0]], undefined, 2), shallow.body);
  const wide = await ask(400, 20_000);
  assert.ok(!wide.isError && wide.text.length < 100_000, wide.body.slice(0, 500));
  assert.match((await ask(300_000, 1)).text, /nested deeper/);
});

test("T17: a schema nested without end spoils neither lists nor search of the others", async () => {
  const client = await HttpClient.open(`${gateway.url}/mcp`);
  const ask = async (name: string, args: object) => {
    const { message, body } = await client.tool(name, args);
    assert.ok(message.result, `${name}: ${body.slice(0, 500)}`);
    return message.result as Loose;
  };
  for (const server of ["bomber", "smaller"]) await ask("gateway_list_tools", { server });
  const listed = await ask("gateway_list_tools", {});
  assert.match(listed.content[0].text, /"piped"/);
  const found = await ask("gateway_search_tools", { query: "echo", include_schema: true, limit: 25 });
  assert.ok(found.structuredContent.matches.some((match: Loose) => match.server === "piped" && match.tool === "echo"));
  await ask("gateway_search_tools", { query: "bomb", include_schema: true });
  for (const server of ["bomber", "smaller"]) {
    const { message } = await client.invoke(server, "echo", { token: server });
    assert.equal(message.result.content[0].text, server);
  }
  assert.doesNotMatch(gateway.stderr(), /defect/);
});

test("T17: no bomb was a defect to the gateway", () => {
  assert.doesNotMatch(gateway.stderr() + stdio.stderr, /defect|INTERNAL|RangeError/);
});
