import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { createServer } from "node:tls";
import type { ClientLink, RpcRequest } from "../../src/core/call.ts";
import { GatewayError, UpstreamError, type UpstreamRpcError } from "../../src/core/errors.ts";
import { silentLogger } from "../../src/core/log.ts";
import type { Connection } from "../../src/core/upstream.ts";
import { systemClock } from "../../src/lib/clock.ts";
import type { JsonObject } from "../../src/lib/json.ts";
import { type WebSocketSettings, webSocketConnect } from "../../src/upstreams/websocket/connect-websocket.ts";
import { FakeClock } from "../fixtures/fake-clock.ts";
import { until } from "../fixtures/processes.ts";
import { status } from "../fixtures/raw-http-server.ts";
import { initializeResult, type Message, result } from "../fixtures/raw-mcp-server.ts";
import {
  accepted,
  closeFrame,
  type Frame,
  frame,
  opcodes,
  type RawWebSocket,
  type RawWebSocketServer,
  rawWebSocketServer,
  type ServerScript,
} from "../fixtures/raw-web-socket.ts";

const never = new AbortController().signal;
const defaults = { name: "ws", headers: {}, maxResultBytes: 100_000, clock: systemClock, log: silentLogger };

interface Setting {
  readonly server: RawWebSocketServer;
  readonly connection: Connection;
  readonly notifications: [method: string, params: JsonObject][];
  call(more?: Partial<RpcRequest>): Promise<string>;
  /** The server's end. */
  readonly end: RawWebSocket;
}

/** A server that answers `initialize` and leaves the rest to the test. */
function mcpServer(
  onMessage: (end: RawWebSocket, message: Message) => void,
  script: ServerScript = {},
): Promise<RawWebSocketServer> {
  return rawWebSocketServer({
    ...script,
    onFrame(end, one: Frame) {
      script.onFrame?.(end, one);
      if (one.opcode === opcodes.close) end.socket.end(frame(one.payload, { opcode: opcodes.close }));
      if (one.opcode !== opcodes.text) return;
      const message = JSON.parse(one.payload.toString()) as Message;
      if (message.method === "initialize") end.send(result(message.id, initializeResult));
      else if (message.method !== "notifications/initialized") onMessage(end, message);
    },
  });
}

async function connected(
  onMessage: (end: RawWebSocket, message: Message) => void,
  use: (setting: Setting) => Promise<void>,
  settings: Partial<WebSocketSettings> = {},
): Promise<void> {
  const server = await mcpServer(onMessage);
  const notifications: Setting["notifications"] = [];
  const connection = await webSocketConnect({ ...defaults, url: server.url, ...settings })(never, {
    onNotification: (method, params) => void notifications.push([method, params]),
  });
  const call = async (more: Partial<RpcRequest> = {}) =>
    (await connection.request({ method: "tools/call", params: { name: "x" }, signal: never, ...more })).text;
  try {
    await use({ server, connection, notifications, call, end: server.sockets[0] as RawWebSocket });
  } finally {
    await connection.close();
    await server.stop();
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

const fails = (script: ServerScript, settings: Partial<WebSocketSettings>, code: string, message: RegExp) =>
  rawWebSocketServer(script).then(async (server) => {
    const connecting = webSocketConnect({ ...defaults, url: server.url, ...settings })(never, { onNotification() {} });
    await assert.rejects(connecting, failsWith(code, message));
    await server.stop();
  });

test("connect: the handshake offers mcp and carries the backend's headers, credentials of the address among them", async () => {
  const server = await mcpServer(() => {});
  const url = server.url.replace("127.0.0.1", "anna:p%40ss@127.0.0.1").replace("/mcp", "/mcp?tenant=1");
  const connection = await webSocketConnect({ ...defaults, url, headers: { "X-Tenant": "one" } })(never, {
    onNotification() {},
  });
  assert.equal(connection.description.serverInfo["name"], "raw");
  const head = (server.handshakes[0] as string).toLowerCase();
  for (const line of [
    "get /mcp?tenant=1 http/1.1",
    `host: 127.0.0.1:${server.port}`,
    "sec-websocket-protocol: mcp",
    "sec-websocket-version: 13",
    "x-tenant: one",
    `authorization: basic ${btoa("anna:p@ss")}`.toLowerCase(),
  ])
    assert.ok(head.split("\r\n").includes(line), `${line} in ${head}`);
  assert.ok(!/extensions|origin/.test(head));
  await connection.close();
  const [end] = server.sockets;
  assert.deepEqual(end?.close(), { code: 1000, reason: "" });
  assert.ok(end?.frames.every(({ masked }) => masked));
  await server.stop();
});

test("connect: an answer that is no agreement says what it is", async () => {
  const answers: [answer: (head: string) => string, code: string, message: RegExp][] = [
    [() => status(401, "who are you"), "UPSTREAM_START_FAILED", /HTTP 401: who are you/],
    [() => status(404), "UPSTREAM_START_FAILED", /HTTP 404/],
    [() => status(302, "", "Location: /x\r\n"), "UPSTREAM_START_FAILED", /HTTP 302/],
    [() => "SSH-2.0-OpenSSH_9.6\r\n", "UPSTREAM_PROTOCOL", /something that is not an HTTP\/1.1 response/],
    [(head) => accepted(head).replace(/Accept: .*/, "Accept: eA=="), "UPSTREAM_PROTOCOL", /the answer to another/],
    [(head) => accepted(head).replace("Upgrade: websocket", "Upgrade: h2c"), "UPSTREAM_PROTOCOL", /something else/],
    [(head) => accepted(head, "Sec-WebSocket-Protocol: chat\r\n"), "UPSTREAM_PROTOCOL", /subprotocol "chat"/],
    [
      (head) => accepted(head, "Sec-WebSocket-Extensions: permessage-deflate\r\n"),
      "UPSTREAM_PROTOCOL",
      /an extension that was not offered/,
    ],
    [() => `HTTP/1.1 101 Ok\r\nX: ${"x".repeat(40_000)}`, "UPSTREAM_PROTOCOL", /a head of more than/],
  ];
  for (const [answer, code, message] of answers) await fails({ onHandshake: answer }, {}, code, message);
  const hangUp = (_head: string, socket: Socket) => {
    socket.destroy();
    return "";
  };
  await fails({ onHandshake: hangUp }, {}, "UPSTREAM_START_FAILED", /before it answered the WebSocket handshake|reset/);
  await fails({}, { url: "ws://127.0.0.1:1/" }, "UPSTREAM_START_FAILED", /Cannot connect to server "ws": .*REFUSED/i);
  await fails({}, { headers: { "Sec WebSocket": "x" } }, "UPSTREAM_START_FAILED", /not an HTTP token/);
});

test("F3 connect: a server that answers neither handshake nor initialize is given up when the signal says so", async () => {
  for (const script of [{ onHandshake: () => "" }, {}]) {
    const server = await rawWebSocketServer(script);
    const abort = new AbortController();
    const connecting = webSocketConnect({ ...defaults, url: server.url })(abort.signal, { onNotification() {} });
    await until(() => server.handshakes.length === 1);
    abort.abort(new UpstreamError("UPSTREAM_START_FAILED", "Too slow"));
    await assert.rejects(connecting, failsWith("UPSTREAM_START_FAILED", /Too slow/));
    await until(() => server.sockets.every((end) => end.isGone()));
    await server.stop();
  }
});

test("request: answers in any order, errors, progress and notifications reach whom they are for", () =>
  connected(
    (end, { id, params }) => {
      if (params?.["name"] === "later") return;
      if (params?.["name"] === "bad") {
        end.send({ jsonrpc: "2.0", id, error: { code: -32_050, message: "No" } });
        return;
      }
      const progressToken = params?._meta?.progressToken;
      if (progressToken !== undefined)
        end.send({ jsonrpc: "2.0", method: "notifications/progress", params: { progressToken, progress: 1 } });
      end.send({ jsonrpc: "2.0", method: "notifications/tools/list_changed" });
      end.send(`{\n "jsonrpc": "2.0",\r\n "id": ${id},\n "result": {"text": "ä€", "n": 1}\n}`);
    },
    async ({ call, notifications, server, end }) => {
      const steps: JsonObject[] = [];
      assert.match(await call({ onProgress: (params) => void steps.push(params) }), /"text": *"ä€"/);
      assert.deepEqual(steps, [{ progress: 1 }]);
      assert.deepEqual(notifications, [["notifications/tools/list_changed", {}]]);
      await assert.rejects(call({ params: { name: "bad" } }), (error: UpstreamRpcError) => error.rpc.code === -32_050);
      const abort = new AbortController();
      const later = call({ params: { name: "later" }, signal: abort.signal });
      abort.abort();
      await assert.rejects(later, failsWith("CANCELLED"));
      await until(() => end.messages.at(-1)?.method === "notifications/cancelled");
      const many = await Promise.all(Array.from({ length: 50 }, () => call({ params: { name: "x".repeat(70_000) } })));
      assert.equal(many.length, 50);
      assert.equal(server.sockets.length, 1);
    },
  ));

test("request: what the server asks goes to the client it works for, and pings are answered", () =>
  connected(
    (end, { id, method, result: answer }) => {
      if (method === "tools/call") {
        end.send({ jsonrpc: "2.0", id: "q", method: "elicitation/create", params: { message: "Who?" } });
        end.send({ jsonrpc: "2.0", id: "p", method: "ping" });
        end.socket.write(frame("here?", { opcode: opcodes.ping }));
        answerId = id;
      } else if (answer !== undefined && (id as unknown) === "q") end.send(result(answerId, { answer }));
    },
    async ({ call, end }) => {
      const client: ClientLink = { sessionId: "s", capabilities: {}, ask: async () => ({ action: "accept" }) };
      assert.match(await call({ client }), /"action":"accept"/);
      const pong = () => end.frames.find(({ opcode }) => opcode === opcodes.pong);
      await until(() => end.messages.some(({ id }) => id === "p") && pong() !== undefined);
      assert.equal(pong()?.payload.toString(), "here?");
    },
  ));
let answerId: number | undefined;

test("request: an answer in many frames, cut anywhere, with control frames between, is one answer", () =>
  connected(
    (end, { id }) => {
      const bytes = Buffer.from(result(id, { text: "ä€".repeat(200) }));
      const frames = [
        frame(bytes.subarray(0, 101), { fin: false }),
        frame("", { opcode: opcodes.ping }),
        frame("", { opcode: opcodes.continuation, fin: false }),
        frame(bytes.subarray(101), { opcode: opcodes.continuation }),
      ];
      for (const byte of Buffer.concat(frames)) end.socket.write(Uint8Array.of(byte));
    },
    async ({ call }) => assert.match(await call(), /^\{"text":"(ä€){200}"\}$/),
  ));

test("F5 F7 request: what cannot be read or is too large fails its own call, and the connection goes on", () =>
  connected(
    (end, { id, params }) => {
      switch (params?.["name"]) {
        case "utf8":
          end.socket.write(frame(Buffer.concat([Buffer.from(`{"jsonrpc":"2.0","id":${id},"result":"`), bad])));
          break;
        case "large":
          end.send(result(id, { text: "x".repeat(200_000) }));
          break;
        case "binary":
          end.socket.write(frame(result(id, { binary: true }), { opcode: opcodes.binary }));
          break;
        case "noise":
          end.send("hello");
          end.send(result(id, {}));
          break;
        default:
          end.send(result(id, { ok: true }));
      }
    },
    async ({ call, server }) => {
      const named = (name: string) => call({ params: { name } });
      await assert.rejects(named("utf8"), failsWith("UPSTREAM_PROTOCOL", /that is not UTF-8/));
      await assert.rejects(named("large"), failsWith("RESULT_TOO_LARGE", /more than 100000 bytes/));
      assert.equal(await named("noise"), "{}");
      assert.equal(await named("binary"), '{"binary":true}');
      assert.equal(await named("fine"), '{"ok":true}');
      assert.equal(server.sockets.length, 1);
    },
  ));
const bad = Buffer.from([0xc3, 0x28, 0x22, 0x7d]);

test("request: a broken frame ends the connection and says which rule it broke", async () => {
  const broken: [Buffer, RegExp][] = [
    [frame("x", { masked: true }), /a masked frame/],
    [frame("x", { reserved: 4 }), /reserved bits/],
    [frame("x", { opcode: 3 }), /unknown kind 3/],
    [frame("x", { opcode: 11 }), /unknown kind 11/],
    [frame("x", { opcode: opcodes.continuation }), /a continuation of nothing/],
    [Buffer.concat([frame("x", { fin: false }), frame("y")]), /a message within a message/],
    [frame("x", { opcode: opcodes.ping, fin: false }), /a control frame in parts/],
    [frame("x".repeat(126), { opcode: opcodes.ping }), /a control frame in parts or too long/],
    [frame("", { length: 2 ** 60 }), /impossible length/],
  ];
  for (const [bytes, message] of broken)
    await connected(
      (end) => void end.socket.write(bytes),
      async ({ call, connection }) => {
        await assert.rejects(call(), failsWith("UPSTREAM_PROTOCOL", message));
        assert.match(await connection.closed, message);
      },
    );
});

test("F1 request: a connection that ends fails what waits at once, with the reason the server gave", async () => {
  const ends: [(end: RawWebSocket) => void, RegExp][] = [
    [(end) => void end.socket.write(closeFrame(1011, "out of\nmemory")), /with code 1011: out of memory/],
    [(end) => void end.socket.write(frame("", { opcode: opcodes.close })), /with code none/],
    [(end) => void end.socket.end(), /without a good-bye/],
    [(end) => void end.socket.resetAndDestroy(), /without a good-bye/],
  ];
  for (const [finish, message] of ends)
    await connected(finish, async ({ call, connection }) => {
      await assert.rejects(call(), failsWith("UPSTREAM_CLOSED", message));
      assert.match(await connection.closed, message);
      await assert.rejects(call(), failsWith("UPSTREAM_CLOSED"));
    });
});

test("F12 request: a server that stops reading is cut off at the byte limit, or when it takes nothing for long", async () => {
  const text = "x".repeat(9_000_000);
  await connected(
    (end) => void end.socket.pause(),
    async ({ call }) => {
      const calls = [call(), ...Array.from({ length: 4 }, () => call({ params: { text } }))];
      for (const one of calls)
        await assert.rejects(one, failsWith("UPSTREAM_CLOSED", /stopped reading: \d+ bytes were waiting/));
    },
    { maxUnreadBytes: 20_000_000 },
  );
  const clock = new FakeClock();
  await connected(
    (end) => void end.socket.pause(),
    async ({ call }) => {
      const late = assert.rejects(call({ params: { text } }), failsWith("UPSTREAM_CLOSED", /stopped reading/));
      await until(() => clock.pending > 0);
      await clock.advance(61_000);
      await late;
    },
    { clock },
  );
});

test("connect: a server of 2026-07-28 alone is spoken to in that revision", async () => {
  const meta = { "io.modelcontextprotocol/serverInfo": { name: "modern" } };
  const discovered = { supportedVersions: ["2026-07-28"], capabilities: { tools: {} }, _meta: meta };
  const asked: unknown[] = [];
  const server = await rawWebSocketServer({
    onFrame(end, { opcode, payload }) {
      if (opcode === opcodes.close) end.socket.end(frame(payload, { opcode: opcodes.close }));
      if (opcode !== opcodes.text) return;
      const { id, method, params } = JSON.parse(payload.toString()) as Message;
      if (method === "initialize")
        end.send({ jsonrpc: "2.0", id, error: { code: -32_601, message: "No such method" } });
      else if (method === "server/discover") end.send(result(id, discovered));
      else {
        asked.push((params?._meta as Record<string, unknown> | undefined)?.["io.modelcontextprotocol/protocolVersion"]);
        end.send(result(id, { resultType: "complete", content: [] }));
      }
    },
  });
  const connection = await webSocketConnect({ ...defaults, url: server.url })(never, { onNotification() {} });
  assert.equal(connection.description.protocolVersion, "2026-07-28");
  assert.deepEqual(connection.description.serverInfo, { name: "modern" });
  const { value } = await connection.request({ method: "tools/call", params: { name: "x" }, signal: never });
  assert.deepEqual(value["content"], []);
  assert.ok(asked.length > 0 && asked.every((version) => version === "2026-07-28"), String(asked));
  await connection.close();
  await server.stop();
});

test("F24 wss: the certificate is checked, and its name, before anything is said", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "mcp-gateway-tls-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  const args = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"];
  try {
    execFileSync("openssl", [...args, "-keyout", key, "-out", cert], { stdio: "ignore" });
  } catch {
    return t.skip("there is no openssl here to make a certificate with");
  }
  let heard = "";
  const server = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (socket) => {
    socket.on("error", () => {});
    socket.on("data", (bytes: Buffer) => {
      heard += bytes.toString();
    });
  });
  server.on("tlsClientError", () => {});
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  const url = `wss://localhost:${port}/mcp`;
  const headers = { authorization: "Bearer canary" };
  await assert.rejects(
    webSocketConnect({ ...defaults, url, headers })(never, { onNotification() {} }),
    failsWith("UPSTREAM_START_FAILED", /Cannot connect to server "ws": .*certificate/i),
  );
  assert.equal(heard, "");
  await new Promise((resolve) => server.close(resolve));
});
