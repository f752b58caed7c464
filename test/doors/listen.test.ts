import assert from "node:assert/strict";
import { connect } from "node:net";
import { test } from "node:test";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { GatewayError } from "../../src/core/errors.ts";
import { openHttpDoor } from "../../src/doors/http/listen.ts";
import { fakeGateway } from "./fake-gateway.ts";
import { bothTypes, callTool, initializeMessage, sendRaw } from "./http-client.ts";

const json = { "content-type": "application/json", accept: bothTypes };

async function openSession(url: string): Promise<Record<string, string>> {
  const response = await fetch(`${url}/mcp`, {
    method: "POST",
    headers: json,
    body: JSON.stringify(initializeMessage()),
  });
  await response.text();
  return { "mcp-session-id": response.headers.get("mcp-session-id") as string };
}

test("openHttpDoor: a long answer reaches a slow reader whole, and one that leaves harms nobody", async () => {
  const door = await openHttpDoor(fakeGateway());
  try {
    const session = await openSession(door.url);
    const args = { text: "0123456789".repeat(800_000) };
    const body = JSON.stringify(callTool(1, "long", args));
    const head = `POST /mcp HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\naccept: application/json\r\nmcp-session-id: ${session["mcp-session-id"]}\r\nconnection: close\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
    const read = (enoughBytes: number) =>
      new Promise<string>((resolve, reject) => {
        const socket = connect(door.port, "127.0.0.1", () => void socket.write(head));
        const chunks: Buffer[] = [];
        let total = 0;
        const done = () => resolve(Buffer.concat(chunks).toString("latin1"));
        socket.on("error", reject);
        socket.on("close", done);
        socket.on("data", (chunk: Buffer) => {
          chunks.push(chunk);
          total += chunk.length;
          if (total > enoughBytes) socket.destroy();
          socket.pause();
          setTimeout(() => socket.resume(), 1);
        });
      });
    await read(100_000);
    const slow = await read(Number.POSITIVE_INFINITY);
    const withoutChunks = slow.replaceAll(/\r\n[0-9a-f]+\r\n/g, "");
    assert.equal(withoutChunks.split("0123456789").length - 1, 800_000);
    const quick = await fetch(`${door.url}/mcp`, { method: "POST", headers: { ...json, ...session }, body });
    assert.deepEqual(((await quick.json()) as { result: unknown }).result, args);
  } finally {
    await door.close(0);
  }
});

test("openHttpDoor: the official client lists, calls, gets progress and notifications, and leaves", async () => {
  const gateway = fakeGateway();
  const door = await openHttpDoor(gateway);
  try {
    for (const path of ["/mcp", "/mcp/one"]) {
      const transport = new StreamableHTTPClientTransport(new URL(door.url + path));
      const client = new Client({ name: "test", version: "1" });
      let listChanged = () => {};
      const changed = new Promise<void>((resolve) => {
        listChanged = resolve;
      });
      client.fallbackNotificationHandler = async ({ method }) => {
        if (method === "notifications/tools/list_changed") listChanged();
      };
      // The SDK's own types disagree with exactOptionalPropertyTypes.
      await client.connect(transport as Parameters<Client["connect"]>[0]);
      assert.equal((await client.listTools()).tools.length, 5);
      const steps: number[] = [];
      const options = { onprogress: ({ progress }: { progress: number }) => void steps.push(progress) };
      const noisy = await client.callTool({ name: "noisy", arguments: {} }, undefined, options);
      assert.deepEqual(noisy.content, [{ type: "text", text: "done" }]);
      assert.deepEqual(steps, [1, 2]);
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, n) => client.callTool({ name: "echo", arguments: { n } })),
      );
      for (const [n, { content }] of answers.entries())
        assert.deepEqual(content, [{ type: "text", text: `{"n":${n}}` }]);
      const [session] = [...gateway.sessions.all()];
      session?.push('{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}');
      await changed;
      await transport.terminateSession();
      assert.equal(gateway.sessions.size, 0);
      await client.close();
    }
  } finally {
    gateway.sessions.closeAll();
    await door.close(0);
  }
});

test("openHttpDoor: a port that is taken is told with the way out", async () => {
  const door = await openHttpDoor(fakeGateway());
  try {
    await assert.rejects(openHttpDoor(fakeGateway({ server: { port: door.port } })), (error: unknown) => {
      assert.ok(error instanceof GatewayError);
      assert.match(error.message, new RegExp(`Cannot listen on 127.0.0.1:${door.port}: another program listens there`));
      assert.match(error.hint ?? "", /--port/);
      return true;
    });
  } finally {
    await door.close(0);
  }
});

test("close: running calls get their time, listening streams end at once, nobody new comes in", async () => {
  const gateway = fakeGateway();
  const door = await openHttpDoor(gateway);
  const session = await openSession(door.url);
  const call = (name: string) =>
    fetch(`${door.url}/mcp`, {
      method: "POST",
      headers: { ...json, ...session },
      body: JSON.stringify(callTool(1, name)),
    });
  const stream = await fetch(`${door.url}/mcp`, { headers: { accept: "text/event-stream", ...session } });
  const running = call("wait");
  while (!gateway.seen.some((message) => message.kind === "request" && message.method === "tools/call"))
    await new Promise((resolve) => setTimeout(resolve, 1));
  const closing = door.close(10_000);
  await stream.text();
  await assert.rejects(sendRawOrFail(door.port));
  gateway.release();
  assert.match(await (await running).text(), /waited/);
  await closing;
});

test("close: what does not end in time is not waited for", async () => {
  const gateway = fakeGateway();
  const door = await openHttpDoor(gateway);
  const session = await openSession(door.url);
  const running = fetch(`${door.url}/mcp`, {
    method: "POST",
    headers: { ...json, ...session },
    body: JSON.stringify(callTool(1, "wait")),
  }).then(
    (response) => response.text(),
    () => "cut",
  );
  while (!gateway.seen.some((message) => message.kind === "request" && message.method === "tools/call"))
    await new Promise((resolve) => setTimeout(resolve, 1));
  await door.close(20);
  // Deno cannot cut what it was told to let end; the end of the process does.
  if ("Bun" in globalThis) assert.equal(await running, "cut");
  gateway.release();
  await running;
});

test("post: a body sent in pieces without a length is read whole, or refused when too large", async () => {
  const gateway = fakeGateway({ server: { max_body_size: 5_000 } });
  const door = await openHttpDoor(gateway);
  try {
    const head = `POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`;
    const body = JSON.stringify(initializeMessage());
    const chunk = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`;
    const whole = await sendRaw(door.port, `${head}${chunk(body.slice(0, 20))}${chunk(body.slice(20))}0\r\n\r\n`);
    assert.match(whole, /^HTTP\/1\.1 200[\s\S]*mcp-session-id/i);
    const large = await sendRaw(door.port, `${head}${chunk(" ".repeat(4_000)).repeat(3)}0\r\n\r\n`);
    assert.match(large, /^HTTP\/1\.1 413/);
  } finally {
    await door.close(0);
  }
});

function sendRawOrFail(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.destroy();
      resolve();
    });
    socket.on("error", reject);
  });
}
