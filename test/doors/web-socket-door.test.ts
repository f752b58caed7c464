import assert from "node:assert/strict";
import { test } from "node:test";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { WebSocketClientTransport } from "@modelcontextprotocol/sdk/client/websocket.js";
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js";
import { type HttpDoor, openHttpDoor } from "../../src/doors/http/listen.ts";
import { until } from "../fixtures/processes.ts";
import { frame, type HandshakeAsk, opcodes, openRaw, type RawWebSocket } from "../fixtures/raw-web-socket.ts";
import { type FakeGateway, fakeConfig, fakeGateway } from "./fake-gateway.ts";
import { callTool, initializeMessage, request } from "./http-client.ts";

interface Setting {
  readonly gateway: FakeGateway;
  readonly door: HttpDoor;
  /** Opens a connection and initializes. */
  connected(ask?: HandshakeAsk): Promise<RawWebSocket>;
}

async function withDoor(gateway: FakeGateway, use: (setting: Setting) => Promise<void>): Promise<void> {
  const door = await openHttpDoor(gateway);
  const opened: RawWebSocket[] = [];
  try {
    await use({
      gateway,
      door,
      async connected(ask) {
        const client = await openRaw(door.port, ask);
        assert.equal(client.status, 101, client.head);
        opened.push(client);
        client.send(initializeMessage());
        await until(() => client.messages.length === 1);
        return client;
      },
    });
  } finally {
    for (const { socket } of opened) socket.destroy();
    gateway.sessions.closeAll();
    await door.close(0);
  }
}

const answerTo = (client: RawWebSocket, id: unknown) => client.messages.find((message) => message.id === id);
const codeOf = (client: RawWebSocket, id: unknown) =>
  (answerTo(client, id) as { error?: { code: number; data: { code: string } } } | undefined)?.error;

test("WebSocket: the official client lists, calls, gets progress and notifications, and its session ends with it", () =>
  withDoor(fakeGateway(), async ({ gateway, door }) => {
    for (const path of ["/mcp", "/mcp/one"]) {
      const transport = new WebSocketClientTransport(new URL(path, door.url.replace("http", "ws")));
      const client = new Client({ name: "test", version: "1" });
      const heard: string[] = [];
      client.fallbackNotificationHandler = async ({ method }) => void heard.push(method);
      await client.connect(transport as Transport);
      assert.equal((await client.listTools()).tools.length, 5);
      const steps: number[] = [];
      const options = { onprogress: ({ progress }: { progress: number }) => void steps.push(progress) };
      const noisy = await client.callTool({ name: "noisy", arguments: {} }, undefined, options);
      assert.deepEqual(noisy.content, [{ type: "text", text: "done" }]);
      assert.deepEqual(steps, [1, 2]);
      const calls = Array.from({ length: 20 }, (_, n) => client.callTool({ name: "echo", arguments: { n, ä: "€" } }));
      for (const [n, { content }] of (await Promise.all(calls)).entries())
        assert.deepEqual(content, [{ type: "text", text: `{"n":${n},"ä":"€"}` }]);
      const [session] = [...gateway.sessions.all()];
      assert.equal(session?.backend, path === "/mcp" ? undefined : "one");
      session?.push('{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}');
      await until(() => heard.includes("notifications/tools/list_changed"));
      await client.close();
      await until(() => gateway.sessions.size === 0);
    }
  }));

test("WebSocket: the subprotocol is agreed on when it is offered, and none other is accepted", () =>
  withDoor(fakeGateway(), async ({ door }) => {
    for (const [offered, status, agreed] of [
      ["mcp", 101, "mcp"],
      ["chat, mcp", 101, "mcp"],
      [undefined, 101, undefined],
      ["chat", 400, undefined],
    ] as const) {
      const client = await openRaw(door.port, { headers: { "Sec-WebSocket-Protocol": offered } });
      assert.equal(client.status, status, String(offered));
      assert.equal(/^sec-websocket-protocol: (\S+)/im.exec(client.head)?.[1], agreed);
      client.socket.destroy();
    }
  }));

test("T5 WebSocket: host, origin and handshake are checked before the connection is one", () =>
  withDoor(fakeGateway(), async ({ door, gateway }) => {
    const refused: [HandshakeAsk["headers"], number][] = [
      [{ Host: "evil.test" }, 403],
      [{ Origin: "http://evil.test" }, 403],
      [{ Origin: "null" }, 403],
      [{ "Sec-WebSocket-Key": undefined }, 400],
      [{ Upgrade: "h2c" }, 400],
    ];
    for (const path of ["/mcp", "/mcp/one"])
      for (const [headers, status] of refused) {
        const client = await openRaw(door.port, { path, headers: headers ?? {} });
        assert.equal(client.status, status, `${path} ${JSON.stringify(headers)}: ${client.head}`);
        client.socket.destroy();
      }
    const own = await openRaw(door.port, { headers: { Origin: `http://localhost:${door.port}` } });
    assert.equal(own.status, 101);
    own.socket.destroy();
    assert.deepEqual(gateway.seen, []);
  }));

test("WebSocket: before initialize only ping is answered, and what follows initialize waits for it", () =>
  withDoor(fakeGateway(), async ({ door }) => {
    const client = await openRaw(door.port);
    client.send(request(1, "ping"));
    client.send(request(2, "tools/list"));
    await until(() => client.messages.length === 2);
    assert.ok(answerTo(client, 1)?.["result"]);
    assert.equal(codeOf(client, 2)?.code, -32_600);
    client.send(initializeMessage());
    client.send(callTool(3, "echo", { at: "once" }));
    await until(() => client.messages.length === 4);
    assert.ok(answerTo(client, 3)?.["result"]);
    client.socket.destroy();
  }));

test("WebSocket: what is no message is answered, what is no text or too large ends the connection with its code", () =>
  withDoor(fakeGateway({ server: { max_body_size: 2_000 } }), async ({ connected, gateway }) => {
    const client = await connected();
    for (const bad of ["{", '{"jsonrpc":"2.0","id":7}', `${"[".repeat(100)}`]) client.send(bad);
    await until(() => client.messages.length === 4);
    assert.deepEqual(
      client.messages.slice(1).map(({ id, error }) => [id, (error as { code: number }).code]),
      [
        [null, -32_700],
        [7, -32_600],
        [null, -32_600],
      ],
    );
    client.send(callTool(1, "echo"));
    await until(() => answerTo(client, 1) !== undefined);
    client.socket.write(frame("ab", { opcode: opcodes.binary, masked: true }));
    await until(() => client.close() !== undefined);
    assert.deepEqual(client.close(), { code: 1003, reason: "Messages are JSON in text frames" });

    const large = await connected();
    large.send(callTool(1, "echo", { text: "ä".repeat(1_000) }));
    await until(() => large.close() !== undefined);
    assert.deepEqual(large.close(), { code: 1009, reason: "Messages are limited to 2000 bytes" });

    const broken = await connected();
    broken.socket.write(frame(Uint8Array.from([0xc3, 0x28]), { masked: true }));
    await until(() => broken.isGone() || broken.close() !== undefined);
    await until(() => gateway.sessions.size === 0);
  }));

test("WebSocket: a message in many frames, with a ping between them, is one message", () =>
  withDoor(fakeGateway(), async ({ connected }) => {
    const client = await connected();
    const text = JSON.stringify(callTool(1, "echo", { text: "ä€" }));
    const bytes = Buffer.from(text);
    const middle = bytes.indexOf(0xc3) + 1;
    client.socket.write(frame(bytes.subarray(0, middle), { fin: false, masked: true }));
    client.socket.write(frame("hi", { opcode: opcodes.ping, masked: true }));
    client.socket.write(frame(bytes.subarray(middle), { opcode: opcodes.continuation, masked: true }));
    await until(() => answerTo(client, 1) !== undefined);
    assert.equal(client.frames.find(({ opcode }) => opcode === opcodes.pong)?.payload.toString(), "hi");
    assert.match(JSON.stringify(answerTo(client, 1)), /ä€/);
    assert.ok(client.frames.every(({ masked }) => !masked));
  }));

test("WebSocket: batches are taken where the revision has them", () =>
  withDoor(fakeGateway(), async ({ connected, door }) => {
    const client = await connected();
    client.send([request(1, "ping")]);
    await until(() => client.messages.length === 2);
    assert.equal(codeOf(client, null)?.code, -32_600);
    const old = await openRaw(door.port);
    old.send(initializeMessage("2025-03-26"));
    old.send([request(1, "ping"), callTool(2, "echo"), { jsonrpc: "2.0", method: "notifications/x" }]);
    await until(() => old.messages.length === 2);
    assert.deepEqual(
      (old.messages[1] as unknown as { id: number }[]).map(({ id }) => id),
      [1, 2],
    );
    old.socket.destroy();
  }));

test("WebSocket: keys are asked for, their rates count messages, and a key that is taken away ends what it opened", () => {
  const auth = {
    enabled: true,
    api_keys: [
      { key: "key-of-anna", name: "anna" },
      { key: "key-of-bert", name: "bert", rate_limit: 4 },
    ],
  };
  return withDoor(fakeGateway({ auth }), async ({ connected, door, gateway }) => {
    for (const headers of [{}, { Authorization: "Bearer wrong" }, { "X-API-Key": "" }])
      assert.equal((await openRaw(door.port, { headers })).status, 401);
    assert.equal((await openRaw(door.port, { path: "/mcp?token=key-of-anna" })).status, 401, "never in an address");
    const anna = await connected({ headers: { Authorization: "Bearer key-of-anna" } });
    const bert = await connected({ headers: { "X-API-Key": "key-of-bert" } });
    assert.deepEqual([...new Set([...gateway.sessions.all()].map(({ principal }) => principal))].length, 2);
    for (const id of [1, 2]) bert.send(callTool(id, "echo"));
    // Neither is ever answered, not even with what is wrong.
    bert.send({ jsonrpc: "2.0", method: "notifications/initialized" });
    bert.send({ jsonrpc: "2.0", id: "gateway-1", result: {} });
    bert.send(callTool(3, "echo"));
    await until(() => bert.messages.length === 4);
    // One request was the handshake, one was initialize.
    assert.deepEqual(
      [1, 2, 3].map((id) => codeOf(bert, id)?.data.code),
      [undefined, undefined, "TOO_MANY_ATTEMPTS"],
    );
    gateway.config = fakeConfig({ auth: { ...auth, api_keys: [auth.api_keys[1]] } });
    anna.send(callTool(1, "echo"));
    await until(() => anna.close() !== undefined);
    assert.equal(codeOf(anna, 1)?.data.code, "UNAUTHENTICATED");
    assert.deepEqual(anna.close(), { code: 1008, reason: "The credentials are not valid any more" });
    const [session] = [...gateway.sessions.all()].filter(({ id }) => id !== undefined);
    gateway.sessions.close(session?.id as string, session?.principal as string);
    await until(() => bert.close() !== undefined);
    assert.deepEqual(bert.close(), { code: 1008, reason: "The session was ended" });
  });
});

test("F8 WebSocket: a client that is gone cancels what it asked for, and its session is over", () =>
  withDoor(fakeGateway(), async ({ connected, gateway }) => {
    const client = await connected();
    client.send(callTool(1, "wait"));
    await until(() => gateway.seen.length === 2);
    client.socket.resetAndDestroy();
    await until(() => gateway.sessions.size === 0);
  }));

test("WebSocket: a client that answers no ping is cut, one that does stays", () =>
  withDoor(fakeGateway({ streaming: { keep_alive_interval: "1s" } }), async ({ connected, gateway }) => {
    const [deaf, alive] = [await connected(), await connected()];
    let answered = 0;
    alive.socket.on("data", () => {
      const pings = alive.frames.filter(({ opcode }) => opcode === opcodes.ping);
      for (; answered < pings.length; answered++)
        alive.socket.write(frame(pings[answered]?.payload ?? "", { opcode: opcodes.pong, masked: true }));
    });
    await until(() => deaf.isGone(), 10_000);
    await until(() => answered >= 3, 10_000);
    assert.ok(!alive.isGone());
    assert.equal(gateway.sessions.size, 1);
  }));

test("F9 WebSocket: a client that does not read is cut once too much waits for it, and others are served", () =>
  withDoor(fakeGateway({ server: { max_body_size: 3_000_000 } }), async ({ connected, gateway }) => {
    const [slow, other] = [await connected(), await connected()];
    slow.socket.pause();
    const text = "x".repeat(2_000_000);
    for (let id = 0; id < 40 && gateway.sessions.size === 2; id++) {
      slow.send(callTool(id, "echo", { text }));
      other.send(callTool(id, "echo", { n: id }));
      await until(() => answerTo(other, id) !== undefined);
    }
    await until(() => gateway.sessions.size === 1, 15_000);
    slow.socket.destroy();
  }));

test("WebSocket: when the gateway stops, what runs is answered and then everyone hears good-bye", () =>
  withDoor(fakeGateway(), async ({ connected, gateway, door }) => {
    const [client, idle] = [await connected(), await openRaw(door.port)];
    client.send(callTool(1, "wait"));
    await until(() => gateway.seen.length === 2);
    gateway.draining = true;
    assert.equal((await openRaw(door.port)).status, 503);
    gateway.release();
    await until(() => answerTo(client, 1) !== undefined);
    await gateway.sessions.closeAll();
    await door.close(1_000);
    await until(() => client.close() !== undefined && idle.close() !== undefined);
    // Deno's server may be quicker, with a reason of its own.
    assert.deepEqual(
      [client, idle].map((one) => one.close()?.code),
      [1001, 1001],
    );
    idle.socket.destroy();
  }));

test("server.ws_port: a port for WebSocket clients alone, where / is /mcp", () =>
  withDoor(fakeGateway({ server: { ws_port: 0 } }), async ({ door, gateway }) => {
    const port = door.socketPort as number;
    for (const path of ["/", "/mcp", "/mcp/one"]) {
      const client = await openRaw(port, { path });
      assert.equal(client.status, 101, path);
      client.send(initializeMessage());
      await until(() => client.messages.length === 1);
      client.socket.destroy();
      await until(() => gateway.sessions.size === 0);
    }
    const plain = await fetch(`http://localhost:${port}/health`);
    assert.deepEqual([plain.status, plain.headers.get("upgrade")], [426, "websocket"]);
    assert.equal((await openRaw(port, { headers: { Origin: "http://evil.test" } })).status, 403);
    assert.equal((await openRaw(port, { path: "/health" })).status, 426);
    await assert.rejects(openHttpDoor(fakeGateway({ server: { ws_port: port } })), (error: { hint?: string }) => {
      assert.match(error.hint ?? "", /server\.ws_port/);
      return true;
    });
  }));
