/** T7: many clients share every backend process and connection; nobody may get what belongs to another. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type GatewayProcess, startGateway } from "../e2e/harness.ts";
import { until } from "../fixtures/processes.ts";
import type { McpServer } from "../fixtures/raw-mcp-server.ts";
import { openSse } from "../fixtures/raw-sse-client.ts";
import { openRaw } from "../fixtures/raw-web-socket.ts";
import { backendCommand, each, HttpClient, initializeMessage, type Loose, post, toolCall } from "./clients.ts";
import { httpBackend } from "./http-backend.ts";

const keyA = "key-of-client-a-0123456789";
const keyB = "key-of-client-b-0123456789";
let http: McpServer;
let gateway: GatewayProcess;

before(async () => {
  http = await httpBackend();
  gateway = await startGateway({
    capabilities: { enabled: false },
    auth: { enabled: true, api_keys: [keyA, keyB].map((key, at) => ({ key, name: `client ${at}` })) },
    failsafe: { rate_limit: { enabled: false }, concurrency: { max_concurrent: 200, max_queue: 10_000 } },
    backends: { piped: { command: backendCommand() }, posted: { http_url: http.url } },
  });
});
after(async () => {
  await gateway?.stop();
  await http?.close();
});

const as = (key: string) => ({ authorization: `Bearer ${key}` });

const clientCount = 50;
const callsPerClient = 2_000;

test(`T7: ${clientCount} clients with equal request ids get ${clientCount * callsPerClient} answers, each its own`, async () => {
  const paths = ["/mcp", "/mcp/piped", "/mcp/posted"];
  const clients = await Promise.all(
    Array.from({ length: clientCount }, async (_, at) => {
      const client = await HttpClient.open(`${gateway.url}${paths[at % 3]}`, as(at % 2 ? keyA : keyB));
      return { client, name: `client-${at}`, at };
    }),
  );
  let answers = 0;
  let notes = 0;
  const foreign: unknown[] = [];
  const ask = async ({ client, name, at }: (typeof clients)[number], id: number) => {
    const token = `${name}:${id}`;
    // One call in eight with progress, under a token that every client uses.
    const steps = id % 8 === 0 ? 2 : 0;
    const args = { token, steps, maxDelayMs: id % 2 ? 3 : 0 };
    const isAggregate = at % 3 === 0;
    const server = id % 2 ? "piped" : "posted";
    const message = isAggregate
      ? toolCall(id, "gateway_invoke", { server, tool: "echo", arguments: args }, id)
      : toolCall(id, "echo", args, id);
    const reply = await client.send(message);
    for (const note of reply.messages.slice(0, -1)) {
      notes++;
      if (note.params?.progressToken !== id || note.params.message !== token) foreign.push({ token, note });
    }
    if (reply.message?.id === id && reply.message.result?.content?.[0]?.text === token) answers++;
    else foreign.push({ token, answer: reply.message });
  };
  const ids = Array.from({ length: callsPerClient }, (_, id) => id);
  await Promise.all(clients.map((one) => each(ids, 2, (id) => ask(one, id))));
  assert.deepEqual(foreign.slice(0, 3), [], `${foreign.length} answers or notes belong to somebody else, or to nobody`);
  assert.equal(answers, clientCount * callsPerClient);
  assert.equal(notes, (answers / 8) * 2);
});

test("T7: clients on WebSockets and event streams with equal request ids get their own answers, and progress", async () => {
  type Connection = { send(message: object): unknown; readonly messages: Loose[]; end(): void };
  const connect = async (at: number): Promise<Connection> => {
    const headers = as(at % 2 ? keyA : keyB);
    if (at % 4 < 2) {
      const client = await openRaw(gateway.port, { path: "/mcp/piped", headers });
      assert.equal(client.status, 101);
      const end = () => void client.socket.destroy();
      return Object.defineProperty({ send: client.send, end, messages: [] }, "messages", {
        get: () => client.messages,
      });
    }
    const client = await openSse(gateway.port, "/sse/piped", headers);
    return { send: client.post, messages: client.messages as Loose[], end: client.cut };
  };
  const calls = 50;
  const wrong: unknown[] = [];
  await each(
    Array.from({ length: 40 }, (_, at) => at),
    40,
    async (at) => {
      const client = await connect(at);
      client.send(initializeMessage("start"));
      await until(() => client.messages.length === 1);
      for (let id = 0; id < calls; id++)
        client.send(toolCall(id, "echo", { token: `client-${at}:${id}`, steps: 1, maxDelayMs: 3 }, id));
      await until(() => client.messages.filter(({ result }) => result?.content).length === calls, 30_000);
      for (const { id, result, params } of client.messages.slice(1)) {
        const [of, text] = params === undefined ? [id, result.content[0].text] : [params.progressToken, params.message];
        if (text !== `client-${at}:${of}`) wrong.push({ at, of, text });
      }
      assert.equal(client.messages.length, 1 + 2 * calls);
      client.end();
    },
  );
  assert.deepEqual(wrong.slice(0, 3), []);
});

test("T7: a session is unknown to every other key, endpoint and to guesses", async () => {
  const own = await HttpClient.open(`${gateway.url}/mcp`, as(keyA));
  const ping = { jsonrpc: "2.0", id: 1, method: "ping" };
  const id = own.sessionId;
  const last = id.at(-1) === "A" ? "B" : "A";
  const attempts: [what: string, path: string, key: string, id: string][] = [
    ["another key", "/mcp", keyB, id],
    ["another endpoint", "/mcp/piped", keyA, id],
    ["its id with one character changed", "/mcp", keyA, id.slice(0, -1) + last],
    ["a part of its id", "/mcp", keyA, id.slice(0, -1)],
    ["a guess", "/mcp", keyA, "1"],
    ["a name of every object", "/mcp", keyA, "__proto__"],
  ];
  for (const [what, path, key, sessionId] of attempts) {
    const headers = { ...as(key), "mcp-session-id": sessionId };
    const url = `${gateway.url}${path}`;
    assert.equal((await post(url, ping, headers)).status, 404, `POST with ${what}`);
    for (const method of ["GET", "DELETE"]) {
      const answered = await fetch(url, { method, headers: { ...headers, accept: "text/event-stream" } });
      assert.equal(answered.status, 404, `${method} with ${what}`);
      await answered.text();
    }
  }
  assert.equal((await own.request("ping")).status, 200);
});

test("T7: a broken call is resumed by its own session, and an event id of somebody gives nobody else an event", async () => {
  const own = await HttpClient.open(`${gateway.url}/mcp/posted`, as(keyA));
  const sameKey = await HttpClient.open(`${gateway.url}/mcp/posted`, as(keyA));
  const otherKey = await HttpClient.open(`${gateway.url}/mcp/posted`, as(keyB));
  const stop = new AbortController();
  const broken = await fetch(own.url, {
    method: "POST",
    headers: { ...own.headers, "content-type": "application/json", accept: "application/json, text/event-stream" },
    body: JSON.stringify(toolCall(1, "echo", { token: "secret-of-a", steps: 1, maxDelayMs: 400 }, "p")),
    signal: stop.signal,
  });
  const reader = broken.body?.getReader();
  const begun = new TextDecoder().decode((await reader?.read())?.value);
  stop.abort();
  const id = /^id: (.*)$/m.exec(begun)?.[1] ?? "";
  assert.match(id, /^[\w-]{8}\.\d+\.\d+$/, begun);
  const resume = async (headers: Record<string, string>, lastEventId: string) => {
    const answered = await fetch(own.url, {
      headers: { ...headers, accept: "text/event-stream", "last-event-id": lastEventId },
    });
    return { status: answered.status, text: await answered.text() };
  };
  for (const [headers, status] of [
    [sameKey.headers, 400],
    [otherKey.headers, 400],
    [{ ...own.headers, ...as(keyB) }, 404],
  ] as const) {
    const { status: got, text } = await resume(headers, id);
    assert.equal(got, status);
    assert.doesNotMatch(text, /secret-of-a/);
  }
  const { status, text } = await resume(own.headers, id);
  assert.equal(status, 200);
  assert.match(text, /"id":1,"result":.*secret-of-a/);
});

test("T7: session ids are 128 random bits or more", async () => {
  const ids: Uint8Array[] = [];
  for (let count = 0; count < 200; count++) {
    const reply = await post(`${gateway.url}/mcp`, initializeMessage(), as(keyA));
    const id = reply.headers.get("mcp-session-id") ?? "";
    assert.match(id, /^[A-Za-z0-9_-]{22,}$/);
    ids.push(Buffer.from(id, "base64url"));
  }
  const bits = (ids[0] as Uint8Array).length * 8;
  assert.ok(bits >= 128, `${bits} bits`);
  // A counter, a clock or a fixed part would leave bits that are the same in neighbours.
  const changes = new Array<number>(bits).fill(0);
  for (const [at, id] of ids.entries())
    for (let bit = 0; at > 0 && bit < bits; bit++)
      if (((id[bit >> 3] ?? 0) ^ (ids[at - 1]?.[bit >> 3] ?? 0)) & (1 << (bit & 7)))
        changes[bit] = (changes[bit] ?? 0) + 1;
  // 199 coins: below 50 or above 150 heads once in 10^12.
  assert.deepEqual(
    changes.filter((count) => count < 50 || count > 150),
    [],
  );
});
