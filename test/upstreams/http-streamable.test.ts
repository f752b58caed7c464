import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { test } from "node:test";
import type { RpcRequest } from "../../src/core/call.ts";
import { GatewayError, UpstreamError, UpstreamRpcError } from "../../src/core/errors.ts";
import { silentLogger } from "../../src/core/log.ts";
import type { Connection } from "../../src/core/upstream.ts";
import { systemClock } from "../../src/lib/clock.ts";
import type { JsonObject } from "../../src/lib/json.ts";
import { httpConnect } from "../../src/upstreams/http/connect-http.ts";
import { FakeClock } from "../fixtures/fake-clock.ts";
import { until } from "../fixtures/processes.ts";
import { chunk, eventStream, json, lastChunk, rawServer, status } from "../fixtures/raw-http-server.ts";
import { initializeResult, type McpServer, rawMcpServer, result, type Script } from "../fixtures/raw-mcp-server.ts";

const never = new AbortController().signal;

interface Setting {
  readonly server: McpServer;
  readonly connection: Connection;
  readonly notifications: [method: string, params: JsonObject][];
  call(more?: Partial<RpcRequest>): Promise<string>;
}

const defaults = {
  name: "raw",
  headers: {},
  maxResultBytes: 100_000,
  // Else the first request would be one of the newer era.
  offer: "2025-11-25",
  clock: systemClock,
  log: silentLogger,
};

async function connected(script: Script, run: (setting: Setting) => Promise<void>, more: object = {}): Promise<void> {
  const server = await rawMcpServer(script);
  const notifications: Setting["notifications"] = [];
  const connect = httpConnect({ ...defaults, url: server.url, ...more });
  const connection = await connect(never, {
    onNotification: (method, params) => void notifications.push([method, params]),
    onRenewed: () => void notifications.push(["renewed", {}]),
  });
  const call = async (request: Partial<RpcRequest> = {}) =>
    (await connection.request({ method: "tools/call", params: { name: "x" }, signal: never, ...request })).text;
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

/** A response on an event stream; `\n\n` is added to each event. */
const events = (...texts: string[]) => eventStream + texts.map((text) => chunk(`${text}\n\n`)).join("") + lastChunk;
const data = (value: unknown) => `data: ${JSON.stringify(value)}`;

test("connect opens a session by the book and closes it with DELETE", async () => {
  const server = await rawMcpServer({ sessionId: () => "abc-123" });
  const connect = httpConnect({
    ...defaults,
    url: server.url,
    headers: { Authorization: "Bearer k" },
    offer: "2025-06-18",
  });
  const connection = await connect(never, { onNotification() {} });
  assert.deepEqual(connection.description.serverInfo, { name: "raw", version: "1" });
  await connection.request({ method: "tools/list", params: undefined, signal: never });
  await connection.close();
  await connection.close();
  assert.equal(await connection.closed, "was closed by the gateway");
  const seen = server.requests.map(({ method, headers, body }) => [
    method,
    body === "" ? undefined : JSON.parse(body).method,
    headers["mcp-session-id"],
    headers["mcp-protocol-version"],
    headers["accept"],
    headers["authorization"],
  ]);
  const both = "application/json, text/event-stream";
  assert.deepEqual(
    seen.filter(([method]) => method !== "GET"),
    [
      ["POST", "initialize", undefined, undefined, both, "Bearer k"],
      ["POST", "notifications/initialized", "abc-123", "2025-11-25", both, "Bearer k"],
      ["POST", "tools/list", "abc-123", "2025-11-25", both, "Bearer k"],
      ["DELETE", undefined, "abc-123", "2025-11-25", undefined, "Bearer k"],
    ],
  );
  assert.deepEqual(
    seen.filter(([method]) => method === "GET"),
    [["GET", undefined, "abc-123", "2025-11-25", "text/event-stream", "Bearer k"]],
  );
  assert.equal(server.messages[0]?.params?.["protocolVersion"], "2025-06-18");
  await until(() => server.open === 0);
  await assert.rejects(connection.request({ method: "ping", params: {}, signal: never }), failsWith("UPSTREAM_CLOSED"));
  await server.close();
});

test("request relays a result untouched, whether it comes as JSON or on an event stream", async () => {
  const text = '{"content":[],"x-vendor":{"a":[1.0,"é"]},"isError":false}';
  const answer = (id: number | undefined) => `{"jsonrpc":"2.0","id":${id},"result":${text}}`;
  for (const wrap of [
    (body: string) => json(body),
    (body: string) => events(`event: message\nid: 1\ndata: ${body}`),
    (body: string) => events(": hello", "id: 0\nretry: 10\ndata:", `data:${body}`, "data: {}"),
    (body: string) => eventStream + [...`data: ${body}\r\n\r\n`].map(chunk).join("") + lastChunk,
  ])
    await connected(
      {
        onMessage: (socket, { id, method }) => method === "tools/call" && socket.write(wrap(answer(id))) !== undefined,
      },
      async ({ call }) => assert.equal(await call(), text),
    );
  // A JSON text of several lines is several data lines on the stream.
  await connected(
    {
      onMessage: (socket, { id, method }) =>
        method === "tools/call" &&
        socket.write(events(`data: {"jsonrpc":"2.0",\ndata: "id":${id},\ndata: "result":{"a":1}}`)) !== undefined,
    },
    async ({ call }) => assert.equal(await call(), '{"a":1}'),
  );
});

test("request rejects with the server's own JSON-RPC error, also when a status comes with it", async () => {
  let code = 200;
  await connected(
    {
      onMessage(socket, { id, method }) {
        if (method !== "tools/call") return false;
        const body = JSON.stringify({
          jsonrpc: "2.0",
          id,
          error: { code: -32602, message: "No such tool", data: { a: 1 } },
        });
        socket.write(status(code, body, "Content-Type: application/json\r\n"));
        return true;
      },
    },
    async ({ call }) => {
      for (code of [200, 400, 404, 500])
        await assert.rejects(call(), (error) => {
          assert.ok(error instanceof UpstreamRpcError);
          assert.deepEqual(error.rpc, { code: -32602, message: "No such tool", data: { a: 1 } });
          return true;
        });
    },
  );
});

const wrongAnswers: Record<string, [(id: number | undefined) => string, code: string, message: RegExp]> = {
  "F10: 200 with HTML": [
    () => status(200, `<html>${"x".repeat(1_000)}</html>`, "Content-Type: text/html; charset=utf-8\r\n"),
    "UPSTREAM_PROTOCOL",
    /content type "text\/html; charset=utf-8" where JSON was due: <html>…$/,
  ],
  "no content type": [() => status(200, "{}"), "UPSTREAM_PROTOCOL", /content type "none"/],
  "an empty 202": [() => status(202), "UPSTREAM_PROTOCOL", /HTTP 202 and nothing else/],
  "JSON that is not": [() => json('{"jsonrpc":"2.0",'), "UPSTREAM_PROTOCOL", /invalid answer/],
  "JSON that is not JSON-RPC": [() => json('{"ok":true}'), "UPSTREAM_PROTOCOL", /invalid answer/],
  "100,000 open brackets": [() => json("[".repeat(99_999)), "UPSTREAM_PROTOCOL", /invalid answer/],
  "the answer to another request": [
    (id) => json(result((id ?? 0) + 1, {})),
    "UPSTREAM_PROTOCOL",
    /answered request \d+ where the answer to \d+ was due/,
  ],
  "an id of another type": [
    (id) => json(JSON.stringify({ jsonrpc: "2.0", id: String(id), result: {} })),
    "UPSTREAM_PROTOCOL",
    /answered request "\d+"/,
  ],
  "an error for no request": [
    () => json(JSON.stringify({ jsonrpc: "2.0", id: null, error: { code: -32700, message: "Parse error" } })),
    "UPSTREAM_PROTOCOL",
    /Parse error/,
  ],
  "F10: an event stream cut in an event": [
    (id) => eventStream + chunk(`data: ${result(id, {})}\n`) + lastChunk,
    "UPSTREAM_CLOSED",
    /in the middle of an event/,
  ],
  "an event stream without the answer": [
    () => events(data({ jsonrpc: "2.0", method: "x" })),
    "UPSTREAM_CLOSED",
    /before/,
  ],
  "an event that is not JSON": [() => events("data: hello"), "UPSTREAM_PROTOCOL", /invalid answer/],
  "an event stream that is not UTF-8": [() => `${eventStream}8\r\ndata: \xff\n\r\n`, "UPSTREAM_PROTOCOL", /not UTF-8/],
  "an event above the limit": [
    () => `${eventStream}${chunk(`data: ${"x".repeat(100_001)}`)}`,
    "RESULT_TOO_LARGE",
    /100000/,
  ],
  "a body above the limit": [() => json(`"${"x".repeat(100_001)}"`), "RESULT_TOO_LARGE", /max_result_size/],
  "HTTP 500": [() => status(500, "oh\u001b[31m no"), "UPSTREAM_PROTOCOL", /HTTP 500: oh \[31m no$/],
  "HTTP 503": [() => status(503, "", "Retry-After: 7\r\n"), "UPSTREAM_START_FAILED", /HTTP 503$/],
  "HTTP 401": [() => status(401), "UPSTREAM_START_FAILED", /HTTP 401/],
  "a redirect to another origin": [
    () => status(307, "", "Location: http://169.254.169.254/x\r\n"),
    "UPSTREAM_PROTOCOL",
    /redirects to another origin: "http:\/\/169\.254\.169\.254\/x"/,
  ],
  "a redirect without end": [() => status(308, "", "Location: /mcp\r\n"), "UPSTREAM_PROTOCOL", /redirects more than 5/],
};

for (const [name, [answer, code, message]] of Object.entries(wrongAnswers))
  test(`request fails cleanly on ${name}, and the next request does not suffer`, async () => {
    let wrong = true;
    await connected(
      {
        onMessage(socket, { id, method }) {
          if (method !== "tools/call" || !wrong) return false;
          socket.write(Buffer.from(answer(id), name.includes("UTF-8") ? "latin1" : "utf8"));
          return true;
        },
      },
      async ({ call }) => {
        await assert.rejects(call(), failsWith(code, message));
        wrong = false;
        assert.equal(await call(), "{}");
      },
    );
  });

test("request carries Retry-After in its error", async () => {
  await connected(
    {
      onMessage: (socket, { method }) =>
        method === "tools/call" && socket.write(status(429, "", "Retry-After: 7\r\n")) !== undefined,
    },
    async ({ call }) =>
      void (await assert.rejects(call(), (error) => error instanceof UpstreamError && error.retryAfterMs === 7_000)),
  );
});

test("request gives progress to who asked, log messages to the request, news to all", async () => {
  const progress: JsonObject[] = [];
  const own: [string, JsonObject][] = [];
  await connected(
    {
      onMessage(socket, { id, method, params }) {
        if (method !== "tools/call") return false;
        const token = params?._meta?.progressToken;
        const note = (kind: string, more: object) =>
          data({ jsonrpc: "2.0", method: `notifications/${kind}`, params: more });
        socket.write(
          events(
            note("progress", { progressToken: token, progress: 1, vendor: true }),
            note("progress", { progressToken: 9_999, progress: 2 }),
            note("message", { level: "info", data: "hi" }),
            note("tools/list_changed", {}),
            note("cancelled", { requestId: 1 }),
            data({ jsonrpc: "2.0", id, result: {} }),
          ),
        );
        return true;
      },
    },
    async ({ call, server, notifications }) => {
      await call({
        params: { name: "x", _meta: { "vendor/key": 1 } },
        onProgress: (params) => void progress.push(params),
        onNotification: (method, params) => void own.push([method, params]),
      });
      assert.deepEqual(progress, [{ progress: 1, vendor: true }]);
      assert.deepEqual(own, [["notifications/message", { level: "info", data: "hi" }]]);
      assert.deepEqual(notifications, [["notifications/tools/list_changed", {}]]);
      const asked = server.messages.at(-1);
      assert.deepEqual(asked?.params, { name: "x", _meta: { "vendor/key": 1, progressToken: asked?.id } });
      await call();
      assert.deepEqual(server.messages.at(-1)?.params, { name: "x" }, "no token where nobody wants progress");
    },
  );
});

test("request does not wait for the end of an event stream once it has its answer", async () => {
  await connected(
    {
      onMessage: (socket, { id, method }) =>
        method === "tools/call" &&
        socket.write(eventStream + chunk(`${data({ jsonrpc: "2.0", id, result: {} })}\n\n`)) !== undefined,
    },
    async ({ call }) => assert.equal(await call(), "{}"),
  );
});

test("a server's own requests are answered by POST: ping with a result, others with -32601", async () => {
  await connected(
    {
      sessionId: () => "s",
      onMessage(socket, { id, method }) {
        if (method !== "tools/call") return false;
        socket.write(
          events(
            data({ jsonrpc: "2.0", id: "p", method: "ping" }),
            data({ jsonrpc: "2.0", id: 5, method: "sampling/createMessage", params: {} }),
            data({ jsonrpc: "2.0", id, result: {} }),
          ),
        );
        return true;
      },
    },
    async ({ call, server }) => {
      await call();
      await until(() => server.messages.length === 5);
      const replies = server.requests
        .slice(-2)
        .map(({ headers, body }) => [headers["mcp-session-id"], JSON.parse(body)]);
      replies.sort((a, b) => String(b[1].id).localeCompare(String(a[1].id)));
      assert.deepEqual(replies[0], ["s", { jsonrpc: "2.0", id: "p", result: {} }]);
      assert.equal(replies[1]?.[1].id, 5);
      assert.equal(replies[1]?.[1].error.code, -32601);
    },
  );
});

test("aborting a request rejects at once, closes its connection and tells the server", async () => {
  await connected({ onMessage: (_socket, { method }) => method === "tools/call" }, async ({ call, server }) => {
    const controller = new AbortController();
    const waiting = call({ signal: controller.signal });
    await until(() => server.messages.at(-1)?.method === "tools/call");
    const id = server.messages.at(-1)?.id;
    controller.abort(new UpstreamError("TIMEOUT", "Too slow"));
    await assert.rejects(waiting, failsWith("TIMEOUT"));
    await until(() => server.messages.at(-1)?.method === "notifications/cancelled");
    assert.deepEqual(server.messages.at(-1)?.params, { requestId: id, reason: "Too slow" });
  });
});

for (const lost of [status(404), status(400, '{"error":{"message":"Bad Request: No valid session ID provided"}}')])
  test(`a session the server forgot (${lost.slice(9, 12)}) is renewed once for all who wait, and their requests sent again`, async () => {
    let current = 1;
    await connected(
      {
        sessionId: () => `session-${current}`,
        onMessage(socket, _message, { headers }) {
          if (headers["mcp-session-id"] === `session-${current}`) return false;
          socket.write(lost);
          return true;
        },
      },
      async ({ call, server, notifications }) => {
        await call();
        current = 2;
        assert.deepEqual(await Promise.all(Array.from({ length: 10 }, () => call())), Array(10).fill("{}"));
        assert.equal(server.messages.filter(({ method }) => method === "initialize").length, 2);
        assert.equal(server.messages.filter(({ method }) => method === "notifications/initialized").length, 2);
        assert.deepEqual(
          notifications,
          [["renewed", {}]],
          "it may offer something else now, and knows of no subscription",
        );
        const ids = server.messages.filter(({ method }) => method === "tools/call").map(({ id }) => id);
        assert.equal(new Set(ids).size, ids.length, "no id is used twice");
      },
    );
  });

test("a session lost again at once is an error, not a loop; without a session 404 is just an error", async () => {
  for (const sessionId of [() => "s", () => undefined]) {
    await connected(
      {
        sessionId,
        onMessage: (socket, { method }) => method === "tools/call" && socket.write(status(404)) !== undefined,
      },
      async ({ call, server }) => {
        await assert.rejects(call(), failsWith("UPSTREAM_PROTOCOL", /HTTP 404/));
        const calls = server.messages.filter(({ method }) => method === "tools/call").length;
        assert.equal(calls, sessionId() === undefined ? 1 : 2);
      },
    );
  }
});

test("a server that is away fails the requests of that time only, and the connection stays", async () => {
  const server = await rawMcpServer({});
  const connection = await httpConnect({ ...defaults, url: server.url })(never, { onNotification() {} });
  const call = () => connection.request({ method: "tools/call", params: {}, signal: never });
  await call();
  await server.close();
  await assert.rejects(call(), failsWith("UPSTREAM_START_FAILED", /Cannot connect/));
  const back = await rawMcpServer({}, server.port);
  assert.equal((await call()).text, "{}");
  await connection.close();
  await back.close();
});

test("notifications come over the GET stream, which is opened again with back-off, the id and the time the server wants", async () => {
  const clock = new FakeClock();
  let gets = 0;
  await connected(
    {
      onGet(socket) {
        if (++gets > 2) return void socket.write(status(405));
        socket.write(eventStream);
        socket.write(
          chunk(
            `id: e${gets}\nretry: 3000\n${data({ jsonrpc: "2.0", method: "notifications/x", params: { gets } })}\n\n`,
          ),
        );
        socket.write(lastChunk);
      },
    },
    async ({ server, notifications }) => {
      const seen = () =>
        server.requests.filter(({ method }) => method === "GET").map(({ headers }) => headers["last-event-id"]);
      await until(() => notifications.length === 1);
      await clock.advance(2_900);
      assert.deepEqual(seen(), [undefined]);
      while (gets < 2) await clock.advance(200);
      await until(() => notifications.length === 2);
      while (gets < 3) await clock.advance(1_000);
      assert.deepEqual(seen(), [undefined, "e1", "e2"]);
      assert.deepEqual(notifications, [
        ["notifications/x", { gets: 1 }],
        ["notifications/x", { gets: 2 }],
      ]);
      await new Promise((resolve) => setTimeout(resolve, 20));
      await clock.advance(600_000);
      assert.equal(gets, 3, "405 means that there is no stream");
    },
    { clock },
  );
});

/** A server that ends the stream of a call after its first event; `rest` answers the GETs that ask for more. */
function interrupted(rest: (socket: Socket, lastEventId: string, gets: number, callId: number) => void): Script {
  let callId = 0;
  let gets = 0;
  return {
    onMessage(socket, { id, method }) {
      if (method !== "tools/call") return false;
      callId = id as number;
      socket.write(events("id: first\nretry: 200\ndata:"));
      return true;
    },
    onGet(socket, { headers }) {
      const lastEventId = headers["last-event-id"];
      // The stream for what belongs to no request.
      if (lastEventId === undefined) socket.write(status(405));
      else rest(socket, lastEventId, ++gets, callId);
    },
  };
}

test("an answer whose stream ended is fetched from its last event on, over several streams, with its progress", async () => {
  const asked: string[] = [];
  const script = interrupted((socket, lastEventId, gets, callId) => {
    asked.push(lastEventId);
    const params = { progressToken: callId, progress: gets };
    if (gets === 1)
      socket.write(events(`id: second\n${data({ jsonrpc: "2.0", method: "notifications/progress", params })}`));
    else if (gets === 2) socket.destroy();
    else socket.write(events(`id: third\n${data({ jsonrpc: "2.0", id: callId, result: { got: "it" } })}`));
  });
  await connected(script, async ({ call, server }) => {
    const progress: unknown[] = [];
    assert.equal(await call({ onProgress: (params) => void progress.push(params["progress"]) }), '{"got":"it"}');
    assert.deepEqual(asked, ["first", "second", "second"]);
    assert.deepEqual(progress, [1]);
    assert.equal(server.messages.filter(({ method }) => method === "tools/call").length, 1, "it ran once");
  });
});

test("an answer that cannot be had is the error that cut it off: refused, lost, or cancelled meanwhile", async () => {
  const refusing = interrupted((socket) => void socket.write(status(405)));
  await connected(refusing, async ({ call }) => {
    await assert.rejects(call(), failsWith("UPSTREAM_CLOSED", /before it answered/));
  });
  let gets = 0;
  const silent = interrupted((socket) => {
    gets++;
    socket.write(events(": nothing"));
  });
  await connected(silent, async ({ call }) => {
    await assert.rejects(call(), failsWith("UPSTREAM_CLOSED", /before it answered/));
    assert.equal(gets, 5);
  });
  const hanging = interrupted((socket) => void socket.write(eventStream));
  await connected(hanging, async ({ call, server }) => {
    const controller = new AbortController();
    const waiting = call({ signal: controller.signal });
    await until(() => server.requests.filter(({ method }) => method === "GET").length === 2);
    controller.abort(new UpstreamError("TIMEOUT", "Too slow"));
    await assert.rejects(waiting, failsWith("TIMEOUT"));
    await until(() => server.messages.at(-1)?.method === "notifications/cancelled");
  });
});

test("redirects within the origin are followed once and remembered", async () => {
  await connected(
    {
      onInitialize: (socket, _message, { path }) =>
        path === "/mcp" && socket.write(status(307, "", "Location: /mcp/\r\n")) !== undefined,
    },
    async ({ call, server }) => {
      await call();
      assert.deepEqual(
        server.requests.filter(({ method }) => method === "POST").map(({ path }) => path),
        ["/mcp", "/mcp/", "/mcp/", "/mcp/"],
      );
    },
  );
});

const failedStarts: Record<string, [answer: string, code: string, message: RegExp, hint?: RegExp]> = {
  "401": [status(401, "no token"), "UPSTREAM_START_FAILED", /HTTP 401: no token/, /"headers" of the backend.*"oauth"/],
  "403": [status(403), "UPSTREAM_START_FAILED", /HTTP 403/, /"headers"/],
  "429": [status(429), "UPSTREAM_START_FAILED", /HTTP 429/],
  "500": [status(500, "boom"), "UPSTREAM_START_FAILED", /HTTP 500: boom/],
  "a web page": [
    status(200, "<p>Hi", "Content-Type: text/html\r\n"),
    "UPSTREAM_PROTOCOL",
    /"text\/html".*<p>Hi/,
    /the URL of the backend/,
  ],
  "404 for everything": [status(404), "UPSTREAM_START_FAILED", /speaks neither.*HTTP 404.*HTTP 404/, /\/mcp and \/sse/],
};

for (const [name, [answer, code, message, hint]] of Object.entries(failedStarts))
  test(`connect fails with the cause when the server answers ${name}`, async () => {
    const server = await rawServer((socket) => socket.write(answer));
    const connecting = httpConnect({ ...defaults, url: server.url })(never, { onNotification() {} });
    await assert.rejects(connecting, (error) => {
      failsWith(code, message)(error);
      if (hint) assert.match((error as GatewayError).hint ?? "", hint);
      return true;
    });
    await until(() => server.open === 0);
    await server.close();
  });

test("connect fails with the cause when nobody listens, when the address is none, and when it is aborted", async () => {
  const server = await rawServer(() => {});
  const connect = (url: string, signal = never) => httpConnect({ ...defaults, url })(signal, { onNotification() {} });
  const controller = new AbortController();
  const waiting = connect(server.url, controller.signal);
  await until(() => server.requests.length === 1);
  controller.abort(new UpstreamError("TIMEOUT", "Too slow to start"));
  await assert.rejects(waiting, failsWith("TIMEOUT"));
  await until(() => server.open === 0);
  await server.close();
  await assert.rejects(
    connect(server.url),
    failsWith("UPSTREAM_START_FAILED", /Cannot connect to server "raw": .*ECONNREFUSED/),
  );
  await assert.rejects(connect("ftp://x/"), failsWith("UPSTREAM_START_FAILED", /not a web address/));
  await assert.rejects(connect("nonsense"), failsWith("UPSTREAM_START_FAILED", /not a web address/));
});

test("connect refuses a session id that could break out of a header, and sends a user of the URL as Basic", async () => {
  const server = await rawMcpServer({ sessionId: () => "a b" });
  const connect = httpConnect({ ...defaults, url: server.url.replace("//", "//us%20er:pä@") });
  await assert.rejects(connect(never, { onNotification() {} }), failsWith("UPSTREAM_PROTOCOL", /session id/));
  assert.equal(server.requests[0]?.headers["authorization"], `Basic ${Buffer.from("us er:pä").toString("base64")}`);
  await server.close();
});

test("T7: 2,000 requests in flight with random delays, each gets its own answer", async () => {
  await connected(
    {
      onMessage(socket, { id, method, params }) {
        if (method !== "tools/call") return false;
        const body = result(id, { echo: params?.["name"] });
        setTimeout(() => socket.write((id as number) % 2 ? json(body) : events(`data: ${body}`)), Math.random() * 20);
        return true;
      },
    },
    async ({ call }) => {
      for (let round = 0; round < 10; round++)
        await Promise.all(
          Array.from({ length: 200 }, async (_, at) => {
            const name = `${round}-${at}`;
            assert.equal(await call({ params: { name } }), JSON.stringify({ echo: name }));
          }),
        );
    },
  );
});

test("the description is what the server said", async () => {
  await connected({}, async ({ connection }) => {
    assert.equal(connection.description.protocolVersion, initializeResult.protocolVersion);
    assert.deepEqual(connection.description.capabilities, initializeResult.capabilities);
    assert.equal(connection.pid, undefined);
  });
});
