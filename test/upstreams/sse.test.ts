import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { test } from "node:test";
import type { RpcRequest } from "../../src/core/call.ts";
import { GatewayError, UpstreamError } from "../../src/core/errors.ts";
import { silentLogger } from "../../src/core/log.ts";
import type { Connection } from "../../src/core/upstream.ts";
import { systemClock } from "../../src/lib/clock.ts";
import type { JsonObject } from "../../src/lib/json.ts";
import { httpConnect } from "../../src/upstreams/http/connect-http.ts";
import { FakeClock } from "../fixtures/fake-clock.ts";
import { until } from "../fixtures/processes.ts";
import {
  chunk,
  eventStream,
  lastChunk,
  type RawRequest,
  type RawServer,
  rawServer,
  status,
} from "../fixtures/raw-http-server.ts";
import { initializeResult, type Message, rawMcpServer, result } from "../fixtures/raw-mcp-server.ts";

const never = new AbortController().signal;
const defaults = { name: "old", headers: {}, maxResultBytes: 100_000, clock: systemClock, log: silentLogger };

interface LegacyServer extends RawServer {
  readonly messages: Message[];
  /** Sends raw text on the open stream. */
  say(text: string): void;
  stream(): Socket | undefined;
}

interface Script {
  readonly path?: string;
  /** Data of the first event. */
  readonly endpoint?: string;
  /** True: the test answers the POST and the message. */
  onMessage?(server: LegacyServer, socket: Socket, message: Message): boolean | void;
}

/** A server of 2024-11-05: GET is the stream, POST /messages the way in, everything else 404. */
async function legacyServer({
  path: streamPath = "/sse",
  endpoint = "/messages?sessionId=1",
  onMessage,
}: Script = {}): Promise<LegacyServer> {
  const messages: Message[] = [];
  let stream: Socket | undefined;
  const server = await rawServer((socket, { method, path, body }: RawRequest) => {
    if (method === "GET" && path === streamPath) {
      stream = socket;
      socket.write(eventStream + chunk(`event: endpoint\ndata: ${endpoint}\n\n`));
    } else if (method === "POST" && path.startsWith("/messages")) {
      const message = JSON.parse(body) as Message;
      messages.push(message);
      if (message.method !== "initialize" && onMessage?.(legacy, socket, message)) return;
      socket.write(status(202, "Accepted"));
      if (message.id !== undefined && message.method !== undefined)
        legacy.say(`data: ${result(message.id, message.method === "initialize" ? initializeResult : {})}\n\n`);
    } else socket.write(status(404));
  });
  const legacy: LegacyServer = Object.assign(server, {
    messages,
    url: server.url.replace("/mcp", streamPath),
    say: (text: string) => void stream?.write(chunk(text)),
    stream: () => stream,
  });
  return legacy;
}

interface Setting {
  readonly server: LegacyServer;
  readonly connection: Connection;
  readonly notifications: [method: string, params: JsonObject][];
  call(more?: Partial<RpcRequest>): Promise<string>;
}

async function connected(script: Script, run: (setting: Setting) => Promise<void>): Promise<void> {
  const server = await legacyServer(script);
  const notifications: Setting["notifications"] = [];
  const connection = await httpConnect({ ...defaults, url: server.url })(never, {
    onNotification: (method, params) => void notifications.push([method, params]),
  });
  const call = async (more: Partial<RpcRequest> = {}) =>
    (await connection.request({ method: "tools/call", params: { name: "x" }, signal: never, ...more })).text;
  try {
    await run({ server, connection, notifications, call });
  } finally {
    await connection.close();
    await server.close();
  }
}

function failsWith(code: string, message: RegExp = /./) {
  return (error: unknown) => {
    assert.ok(error instanceof GatewayError, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, message);
    return true;
  };
}

test("connect finds the transport by itself, whatever the path is called, and remembers it", async () => {
  for (const [path, postsInVain] of [
    ["/sse", 0],
    // One for each of the newer transports.
    ["/anything", 2],
  ] as const) {
    const server = await legacyServer({ path });
    const connect = httpConnect({ ...defaults, url: server.url });
    for (let time = 0; time < 2; time++) {
      const connection = await connect(never, { onNotification() {} });
      assert.equal(connection.description.protocolVersion, "2025-11-25");
      await connection.close();
      const vain = server.requests.filter((request) => request.method === "POST" && request.path === path);
      assert.equal(vain.length, postsInVain);
    }
    await until(() => server.open === 0);
    await server.close();
  }
});

test("connect takes a Streamable HTTP server at a path that ends in /sse for what it is", async () => {
  const clock = new FakeClock();
  for (const onGet of [
    undefined,
    // It opens a stream to anyone, on which nothing comes.
    (socket: Socket) => void socket.write(eventStream),
  ]) {
    const server = await rawMcpServer(onGet === undefined ? {} : { onGet });
    const connecting = httpConnect({ ...defaults, clock, url: `${server.url}/sse` })(never, { onNotification() {} });
    if (onGet !== undefined) {
      // The limit runs from when the stream is open.
      await until(() => {
        void clock.advance(500);
        return server.messages.length > 0;
      });
    }
    const connection = await connecting;
    assert.deepEqual(connection.description.serverInfo, initializeResult.serverInfo);
    await connection.close();
    await server.close();
  }
});

test("connect posts to the named endpoint with the configured headers, and never to another origin", async () => {
  const server = await legacyServer();
  const connect = httpConnect({ ...defaults, url: server.url, headers: { "X-Key": "k" } });
  const connection = await connect(never, { onNotification() {} });
  const [get, post] = server.requests;
  assert.equal(get?.headers["x-key"], "k");
  assert.deepEqual([post?.path, post?.headers["x-key"]], ["/messages?sessionId=1", "k"]);
  await connection.close();
  await server.close();

  const elsewhere = await rawServer(() => assert.fail("asked the other origin"));
  for (const endpoint of [elsewhere.url, "//evil.test/x", "https://127.0.0.1/messages", "http://[bad"]) {
    const bad = await legacyServer({ endpoint });
    await assert.rejects(
      httpConnect({ ...defaults, url: bad.url })(never, { onNotification() {} }),
      failsWith("UPSTREAM_START_FAILED", /endpoint (of another origin|that is no address)/),
    );
    await until(() => bad.open === 0);
    await bad.close();
  }
  assert.equal(elsewhere.connections, 0);
  await elsewhere.close();
});

test("request gets its answer, progress and notifications from the stream", async () => {
  const progress: JsonObject[] = [];
  await connected(
    {
      onMessage(server, socket, { id, method, params }) {
        if (method !== "tools/call") return false;
        socket.write(status(202));
        const progressToken = params?._meta?.progressToken;
        const note = (name: string, more: object) =>
          server.say(`data: ${JSON.stringify({ jsonrpc: "2.0", method: `notifications/${name}`, params: more })}\n\n`);
        note("progress", { progressToken, progress: 1 });
        note("tools/list_changed", {});
        server.say(`event: message\ndata: ${result(id, { "x-vendor": 1.5 })}\n\n`);
        return true;
      },
    },
    async ({ call, notifications }) => {
      assert.equal(await call({ onProgress: (params) => void progress.push(params) }), '{"x-vendor":1.5}');
      assert.deepEqual(progress, [{ progress: 1 }]);
      assert.deepEqual(notifications, [["notifications/tools/list_changed", {}]]);
    },
  );
});

test("a server's own requests are answered by POST: ping with a result, others with -32601", async () => {
  await connected({}, async ({ server }) => {
    const before = server.messages.length;
    server.say(
      'data: {"jsonrpc":"2.0","id":1,"method":"ping"}\n\ndata: {"jsonrpc":"2.0","id":2,"method":"roots/list"}\n\n',
    );
    await until(() => server.messages.length === before + 2);
    const replies = server.messages.slice(before).sort((a, b) => (a.id ?? 0) - (b.id ?? 0));
    assert.deepEqual([replies[0]?.result, replies[1]?.error?.code], [{}, -32601]);
  });
});

test("aborting a request tells the server", async () => {
  await connected(
    { onMessage: (_server, socket, { method }) => method === "tools/call" && socket.write(status(202)) !== undefined },
    async ({ call, server }) => {
      const controller = new AbortController();
      const waiting = call({ signal: controller.signal });
      await until(() => server.messages.at(-1)?.method === "tools/call");
      controller.abort(new UpstreamError("TIMEOUT", "Too slow"));
      await assert.rejects(waiting, failsWith("TIMEOUT"));
      await until(() => server.messages.at(-1)?.method === "notifications/cancelled");
    },
  );
});

test("a POST that is refused fails its own request and no other", async () => {
  await connected(
    {
      onMessage: (_server, socket, { method, params }) =>
        method === "tools/call" && params?.["name"] === "bad" && socket.write(status(413, "too much")) !== undefined,
    },
    async ({ call }) => {
      const good = call();
      await assert.rejects(call({ params: { name: "bad" } }), failsWith("UPSTREAM_PROTOCOL", /HTTP 413: too much/));
      assert.equal(await good, "{}");
      assert.equal(await call(), "{}");
    },
  );
});

const ends: Record<string, [end: (server: LegacyServer) => void, code: string, message: RegExp]> = {
  "ends in good order": [(server) => void server.stream()?.end(lastChunk), "UPSTREAM_CLOSED", /closed the connection/],
  "ends in the middle of an event": [
    (server) => void server.stream()?.end(`${chunk('data: {"jsonrpc"')}${lastChunk}`),
    "UPSTREAM_CLOSED",
    /in the middle of an event/,
  ],
  "is reset": [(server) => void server.stream()?.resetAndDestroy(), "UPSTREAM_CLOSED", /in the middle of its answer/],
  "breaks the rules of chunks": [(server) => void server.stream()?.write("xyz\r\n"), "UPSTREAM_PROTOCOL", /chunk size/],
  "carries an event above the limit": [
    (server) => server.say(`data: ${"x".repeat(100_001)}`),
    "RESULT_TOO_LARGE",
    /max_result_size/,
  ],
};

for (const [name, [end, code, message]] of Object.entries(ends))
  test(`a stream that ${name} fails what waits, and the connection is closed`, async () => {
    await connected(
      {
        onMessage: (_server, socket, { method }) => method === "tools/call" && socket.write(status(202)) !== undefined,
      },
      async ({ call, server, connection }) => {
        const waiting = [call(), call()];
        const failures = Promise.all(waiting.map((call) => assert.rejects(call, failsWith(code, message))));
        await until(() => server.messages.filter(({ method }) => method === "tools/call").length === 2);
        end(server);
        await failures;
        assert.match(await connection.closed, message);
        await assert.rejects(call(), failsWith(code));
        await until(() => server.open === 0);
      },
    );
  });

test("an event that is not a message is skipped", async () => {
  await connected({}, async ({ call, server }) => {
    server.say("data: hello\n\nevent: other\ndata: {}\n\ndata:\n\n");
    assert.equal(await call(), "{}");
  });
});
