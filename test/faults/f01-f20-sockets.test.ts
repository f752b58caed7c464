/** What goes wrong with connections that carry messages both ways: WebSockets at either end, and HTTP+SSE. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type Message, result } from "../fixtures/raw-mcp-server.ts";
import { openSse } from "../fixtures/raw-sse-client.ts";
import {
  closeFrame,
  frame,
  opcodes,
  openRaw,
  type RawWebSocket,
  type RawWebSocketServer,
  rawWebSocketServer,
} from "../fixtures/raw-web-socket.ts";
import { httpClient } from "./client.ts";
import { bystander, eventually, health, peakRssMb, rawBackend, unlimited, withGateway } from "./gateway.ts";

const initialize = {
  jsonrpc: "2.0",
  id: "init",
  method: "initialize",
  params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "faults", version: "1" } },
};
const toolCall = (id: unknown, name: string, args: object = {}) => ({
  jsonrpc: "2.0",
  id,
  method: "tools/call",
  params: { name, arguments: args },
});
const answerTo = (client: RawWebSocket, id: unknown) => client.messages.find((message) => message.id === id);
const isTrue = (value: unknown) => value === true;

async function socketClient(port: number, path: string): Promise<RawWebSocket> {
  const client = await openRaw(port, { path });
  assert.equal(client.status, 101, client.head);
  client.send(initialize);
  await eventually(() => client.messages.length === 1, isTrue);
  return client;
}

type OnCall = (end: RawWebSocket, id: number, name: string) => void;

/** A backend that lists `echo`; what its tools do, and to whom, is up to the test. */
async function withSocketBackend(
  onCall: OnCall,
  use: (server: RawWebSocketServer & { deaf: boolean }) => Promise<void>,
): Promise<void> {
  const server = await rawWebSocketServer({
    onFrame(end, { opcode, payload }) {
      if (opcode !== opcodes.text || backend.deaf) return;
      const { id, method, params } = JSON.parse(payload.toString()) as Message;
      if (id === undefined) return;
      const tools = { tools: [{ name: "echo", inputSchema: { type: "object" } }] };
      const { protocolVersion } = (params ?? {}) as { protocolVersion?: string };
      const opening = { protocolVersion, capabilities: { tools: {} }, serverInfo: { name: "raw", version: "1" } };
      if (method === "initialize") end.send(result(id, opening));
      else if (method === "tools/call") onCall(end, id, String(params?.["name"]));
      else end.send(result(id, method === "tools/list" ? tools : {}));
    },
  });
  const backend = Object.assign(server, { deaf: false });
  try {
    await use(backend);
  } finally {
    await server.stop();
  }
}

const text = (id: number, value: string) => result(id, { content: [{ type: "text", text: value }] });

describe("F1 WebSocket backend whose connection ends in the middle of a call", () => {
  const ends: Record<string, (end: RawWebSocket) => void> = {
    "reset without a word": (end) => void end.socket.resetAndDestroy(),
    "closed with a code": (end) => void end.socket.end(closeFrame(1011, "out of memory")),
    "cut in the middle of a frame": (end) => void end.socket.end(frame('{"jsonrpc":"2.0","id":', { length: 10_000 })),
    "broken rules": (end) => void end.socket.write(frame("x", { reserved: 4 })),
  };
  for (const [how, finish] of Object.entries(ends))
    test(`${how}: the caller hears it at once, nothing runs twice, the next call is served`, async () => {
      let runs = 0;
      const onCall: OnCall = (end, id, name) => {
        if (name === "fail") runs++;
        if (name === "fail") finish(end);
        else end.send(text(id, "fine"));
      };
      await withSocketBackend(onCall, ({ url }) =>
        withGateway({ failsafe: unlimited, backends: { far: { http_url: url } } }, async (gateway) => {
          const client = await httpClient(gateway, "/mcp/far");
          const { code, text, tookMs } = await client.call("fail");
          assert.match(String(code), /^UPSTREAM_(CLOSED|PROTOCOL)$/, text);
          assert.match(text, /Server "far" (closed the connection|broke the rules of WebSocket)/);
          assert.ok(tookMs < 5_000);
          assert.equal((await client.call("echo")).text, "fine");
          assert.equal(runs, 1);
          assert.equal((await health(gateway)).backends["far"]?.restart_count, 1);
        }),
      );
    });
});

describe("F7 WebSocket backend that answers with more than it may", () => {
  test("100 MB in one message: an error that names the limit, others are served, memory is bounded", async () => {
    const piece = "x".repeat(1_048_576);
    const onCall: OnCall = (end, id, name) => {
      if (name !== "large") return end.send(text(id, "fine"));
      const head = `{"jsonrpc":"2.0","id":${id},"result":{"content":[{"type":"text","text":"`;
      end.socket.write(frame(head, { fin: false }));
      let left = 100;
      const write = () => {
        while (left-- > 0)
          if (!end.socket.write(frame(piece, { opcode: 0, fin: false }))) return void end.socket.once("drain", write);
        end.socket.write(frame('"}]}}', { opcode: 0 }));
      };
      write();
    };
    await withSocketBackend(onCall, ({ url }) =>
      withGateway(
        { failsafe: unlimited, backends: { far: { http_url: url }, fine: rawBackend() } },
        async (gateway) => {
          const stop = bystander(await httpClient(gateway, "/mcp/fine"));
          const client = await httpClient(gateway, "/mcp/far");
          assert.equal((await client.call("echo")).text, "fine");
          const peak = peakRssMb(gateway.child.pid!);
          const { code, text } = await client.call("large");
          assert.equal(code, "RESULT_TOO_LARGE", text);
          assert.match(text, /16777216/);
          assert.equal((await client.call("echo")).text, "fine");
          await stop();
          assert.ok(peak() < 400, `${peak()} MB at most`);
          assert.equal((await health(gateway)).backends["far"]?.restart_count, 0, "the connection is kept");
        },
      ),
    );
  });
});

describe("F11 F12 WebSocket backend that neither reads nor answers any more", () => {
  test("calls end at their timeout, it is cut off at the byte limit, and the next call is served anew", async () => {
    const onCall: OnCall = (end, id, name) => {
      if (name === "stopReading") end.socket.pause();
      end.send(text(id, "fine"));
    };
    await withSocketBackend(onCall, ({ url }) =>
      withGateway(
        { failsafe: unlimited, backends: { far: { http_url: url, timeout: "2s" }, fine: rawBackend() } },
        async (gateway) => {
          const stop = bystander(await httpClient(gateway, "/mcp/fine"));
          const client = await httpClient(gateway, "/mcp/far");
          assert.equal((await client.call("stopReading")).text, "fine");
          const peak = peakRssMb(gateway.child.pid!);
          const large = "x".repeat(9_000_000);
          const outcomes = await Promise.all(Array.from({ length: 8 }, () => client.call("echo", { text: large })));
          for (const { code, text } of outcomes)
            assert.ok(code === "UPSTREAM_CLOSED" || code === "TIMEOUT", `${code} ${text}`);
          assert.ok(outcomes.some(({ text }) => /"far" was cut off because it stopped reading/.test(text)));
          await stop();
          assert.ok(peak() < 700, `${peak()} MB at most`);
          assert.equal((await client.call("echo")).text, "fine");
        },
      ),
    );
  });

  test("a half-open connection is found by pings and replaced", async () => {
    const failsafe = { ...unlimited, health_check: { interval: "1s", timeout: "200ms" } };
    await withSocketBackend(
      (end, id) => end.send(text(id, "fine")),
      (server) =>
        withGateway({ failsafe, backends: { far: { http_url: server.url } } }, async (gateway) => {
          const client = await httpClient(gateway, "/mcp/far");
          assert.equal((await client.call("echo")).text, "fine");
          server.deaf = true;
          await eventually(
            () => gateway.stderr(),
            (log) => /did not answer 3 pings in a row/.test(log),
            15_000,
          );
          server.deaf = false;
          await eventually(
            () => client.call("echo"),
            ({ text }) => text === "fine",
          );
          assert.equal(server.sockets.length, 2);
        }),
    );
  });
});

describe("F8 client that goes away in the middle of a call", () => {
  const cancelledCalls = async (client: Awaited<ReturnType<typeof httpClient>>) =>
    (JSON.parse((await client.call("cancelled")).text) as unknown[]).length;

  test("WebSocket cut, or half-open, and HTTP+SSE stream cut: the backend is told that nobody waits, and goes on", () =>
    withGateway(
      { failsafe: unlimited, streaming: { keep_alive_interval: "500ms" }, backends: { one: rawBackend() } },
      async (gateway) => {
        const watcher = await httpClient(gateway, "/mcp/one");
        assert.equal(await cancelledCalls(watcher), 0);

        const cut = await socketClient(gateway.port, "/mcp/one");
        cut.send(toolCall(1, "silent"));
        await sleep(50);
        cut.socket.resetAndDestroy();
        await eventually(
          () => cancelledCalls(watcher),
          (count) => count === 1,
        );

        // Reads, but never says anything again: pings stay unanswered.
        const halfOpen = await socketClient(gateway.port, "/mcp/one");
        halfOpen.send(toolCall(1, "silent"));
        await eventually(
          () => cancelledCalls(watcher),
          (count) => count === 2,
        );
        assert.ok(halfOpen.frames.some(({ opcode }) => opcode === opcodes.ping));
        await eventually(halfOpen.isGone, isTrue);

        const stream = await openSse(gateway.port, "/sse/one");
        const post = async (message: object) => (await stream.post(message)).status;
        assert.equal(await post(initialize), 202);
        assert.equal(await post(toolCall(1, "silent")), 202);
        await sleep(50);
        stream.cut();
        await eventually(
          () => cancelledCalls(watcher),
          (count) => count === 3,
        );
        assert.equal(await post(toolCall(2, "echo")), 404);
        assert.equal((await watcher.call("echo", { text: "still here" })).text, "still here");
      },
    ));
});

describe("F9, T20: WebSocket client that never reads", () => {
  test("it is cut once too much waits for it; memory is bounded, others are served", () =>
    withGateway({ failsafe: unlimited, backends: { one: rawBackend(), fine: rawBackend() } }, async (gateway) => {
      const stop = bystander(await httpClient(gateway, "/mcp/fine"));
      const slow = await socketClient(gateway.port, "/mcp/one");
      const watcher = await httpClient(gateway, "/mcp/one");
      const peak = peakRssMb(gateway.child.pid!);
      slow.socket.pause();
      slow.send(toolCall("last", "silent"));
      // What it asked for is cancelled once it is cut.
      await eventually(
        async () => {
          slow.send(toolCall(1, "big", { bytes: 4_000_000, idFirst: true }));
          await sleep(50);
          return (await watcher.call("cancelled")).text;
        },
        (cancelled) => cancelled !== "[]",
        20_000,
      );
      await stop();
      assert.ok(peak() < 500, `${peak()} MB at most`);
      slow.socket.destroy();
    }));
});

describe("F20 stop while calls of WebSocket clients run", () => {
  test("SIGTERM: new calls are refused, all that run are answered, then everyone hears good-bye, exit 0", () =>
    withGateway(
      { failsafe: unlimited, server: { shutdown_timeout: "10s" }, backends: { one: rawBackend() } },
      async (gateway) => {
        const clients = await Promise.all(Array.from({ length: 10 }, () => socketClient(gateway.port, "/mcp/one")));
        const ids = Array.from({ length: 10 }, (_, id) => id);
        for (const client of clients) for (const id of ids) client.send(toolCall(id, "sleep", { ms: 1_500 }));
        await sleep(300);
        const exit = new Promise<number | null>((resolve) => gateway.child.once("exit", resolve));
        gateway.child.kill("SIGTERM");
        await eventually(() => /Stopping/.test(gateway.stderr()), isTrue);
        const [first] = clients as [RawWebSocket];
        first.send(toolCall("late", "echo"));
        assert.equal(await exit, 0);
        await eventually(() => clients.every((client) => client.isGone()), isTrue);
        assert.match(JSON.stringify(answerTo(first, "late")), /SHUTTING_DOWN/);
        for (const client of clients) {
          for (const id of ids) assert.match(JSON.stringify(answerTo(client, id)), /slept/);
          assert.deepEqual(client.close(), { code: 1001, reason: "The gateway is stopping" });
        }
      },
    ));
});
