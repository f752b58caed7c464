import assert from "node:assert/strict";
import { createServer, type Socket as NetSocket, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { connectSocket, type Socket, type SocketAddress } from "../../src/runtime/socket.ts";

async function listening(onSocket: (socket: NetSocket) => void, at: number | string = 0): Promise<Server> {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    onSocket(socket);
  });
  await new Promise<void>((resolve) =>
    typeof at === "string" ? server.listen(at, resolve) : server.listen(at, "127.0.0.1", resolve),
  );
  return server;
}

const addressOf = (server: Server): SocketAddress => ({
  host: "127.0.0.1",
  port: (server.address() as { port: number }).port,
});

/** Everything until the end, and how it ended. */
function talk(address: SocketAddress, begin: (socket: Socket) => void, onDrain = () => {}) {
  return new Promise<{ text: string; error: Error | undefined; opened: boolean }>((resolve) => {
    let text = "";
    const socket = connectSocket(address, {
      onData: (bytes) => {
        text += bytes.toString("utf8");
      },
      onClose: (error) => resolve({ text, error, opened: socket.opened }),
      onDrain,
    });
    begin(socket);
  });
}

test("connectSocket sends what was written before it was open, and tells of the end", async () => {
  const server = await listening((socket) => socket.once("data", (bytes) => socket.end(bytes)));
  const { text, error, opened } = await talk(addressOf(server), (socket) => assert.ok(socket.write("größer") >= 0));
  assert.deepEqual({ text, error, opened }, { text: "größer", error: undefined, opened: true });
  server.close();
});

test("connectSocket speaks to a Unix-domain socket", async () => {
  const path = join(tmpdir(), `gateway-socket-test-${process.pid}.sock`);
  const server = await listening((socket) => socket.once("data", (bytes) => socket.end(bytes)), path);
  assert.equal((await talk({ path }, (socket) => socket.write("hello"))).text, "hello");
  server.close();
});

test("connectSocket holds back what a slow peer does not take, counts it, and says when it is gone", async () => {
  const size = 30_000_000;
  let received = 0;
  let drained = false;
  let peer: NetSocket | undefined;
  const server = await listening((socket) => {
    peer = socket;
    socket.pause();
    socket.on("data", (bytes) => {
      received += bytes.length;
      if (received >= size + 3) socket.end("got it");
    });
  });
  const done = talk(
    addressOf(server),
    (socket) => {
      assert.ok(socket.write("x".repeat(size)) > 0);
      assert.ok(socket.write(new TextEncoder().encode("end")) > 3, "the second write waits behind the first");
      setTimeout(() => peer?.resume(), 50);
    },
    () => {
      drained = true;
    },
  );
  assert.equal((await done).text, "got it");
  assert.equal(received, size + 3);
  assert.equal(drained, true);
  server.close();
});

test("connectSocket reports a refused connect, a reset and an unknown host through onClose", async () => {
  const server = await listening((socket) => socket.once("data", () => socket.resetAndDestroy()));
  const address = addressOf(server);
  const reset = await talk(address, (socket) => socket.write("x"));
  assert.ok(reset.error instanceof Error);
  assert.equal(reset.opened, true);
  await new Promise((resolve) => server.close(resolve));
  for (const nowhere of [address, { host: "no-such-host.invalid", port: 80 }, { path: "/nonexistent/socket" }]) {
    const { error, opened } = await talk(nowhere, (socket) => socket.write("x"));
    assert.ok(error instanceof Error);
    assert.equal(opened, false);
  }
});

test("Socket.destroy ends it once, also while it connects, and nothing arrives after", async () => {
  let closes = 0;
  const server = await listening((socket) => socket.write("early"));
  await new Promise<void>((resolve) => {
    const socket = connectSocket(addressOf(server), {
      onData: () => assert.fail("data after destroy"),
      onClose: () => {
        closes++;
        setTimeout(resolve, 30);
      },
    });
    socket.destroy();
    socket.destroy();
    assert.equal(socket.write("late"), 0);
  });
  assert.equal(closes, 1);
  server.close();
});
