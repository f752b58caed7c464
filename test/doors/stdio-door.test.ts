import assert from "node:assert/strict";
import { test } from "node:test";
import { serveStdio } from "../../src/doors/stdio/stdio-door.ts";
import type { JsonObject } from "../../src/lib/json.ts";
import { FakeClock, settle } from "../fixtures/fake-clock.ts";
import { fakeGateway } from "./fake-gateway.ts";
import { callTool, initializeMessage, request } from "./http-client.ts";

class Pipe implements AsyncIterable<Uint8Array> {
  readonly #chunks: Uint8Array[] = [];
  #wake: (() => void) | undefined;
  #ended = false;

  write(data: string | Uint8Array): void {
    this.#chunks.push(typeof data === "string" ? new TextEncoder().encode(data) : data);
    this.#wake?.();
  }

  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for (;;) {
      const chunk = this.#chunks.shift();
      if (chunk !== undefined) yield chunk;
      else if (this.#ended) return;
      else
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
    }
  }
}

function open(gateway = fakeGateway()) {
  const input = new Pipe();
  const clock = new FakeClock();
  const written: string[] = [];
  const output = {
    async write(text: string) {
      written.push(text);
    },
  };
  const done = serveStdio({ gateway, input, output, clock });
  const say = (...messages: unknown[]) =>
    input.write(`${messages.map((message) => JSON.stringify(message)).join("\n")}\n`);
  const heard = () => written.map((line) => JSON.parse(line) as JsonObject);
  return { gateway, input, clock, written, done, say, heard };
}

const initialized = { jsonrpc: "2.0", method: "notifications/initialized" };

test("stdio: a whole conversation in one write is answered in full, then the end is the end", async () => {
  const { input, done, heard, written, gateway } = open();
  const messages = [initializeMessage(), initialized, request(1, "tools/list"), callTool("two", "echo", { a: "ä" })];
  input.write(messages.map((message) => JSON.stringify(message)).join("\n"));
  input.end();
  await done;
  assert.deepEqual(
    heard().map(({ id }) => id),
    ["init", 1, "two"],
  );
  assert.ok(written.every((line) => line.endsWith("\n") && line.indexOf("\n") === line.length - 1));
  assert.equal(gateway.sessions.size, 0);
});

test("stdio: before initialize only ping is answered", async () => {
  const { say, input, done, heard, gateway } = open();
  say(request(1, "ping"), request(2, "tools/list"), initialized, [request(3, "ping")]);
  input.end();
  await done;
  const answers = heard().map(({ id, error }) => [id, (error as JsonObject | undefined)?.["code"]]);
  assert.deepEqual(
    answers.sort(),
    [
      [1, undefined],
      [2, -32_600],
      [null, -32_600],
    ].sort(),
  );
  assert.ok(!gateway.seen.some((message) => message.kind === "request" && message.method === "tools/list"));
});

test("stdio: answers overtake a slow one, and progress comes before its answer", async () => {
  const { say, input, done, heard, gateway } = open();
  say(initializeMessage(), callTool(1, "wait"), callTool(2, "noisy"), callTool(3, "echo"));
  await settle();
  gateway.release();
  input.end();
  await done;
  const order = heard().map(({ id, method }) => id ?? method);
  assert.equal(order.at(-1), 1);
  assert.ok(order.indexOf("notifications/progress") < order.indexOf(2));
});

test("stdio: what cannot be read is answered with id null, and the rest goes on", async () => {
  const { input, say, done, heard } = open();
  say(initializeMessage("2025-03-26"));
  input.write("{oops\n\n\r\n");
  input.write(new Uint8Array([0x22, 0xff, 0x22, 0x0a]));
  input.write(`{"jsonrpc":"2.0","id":4,"id":5,"method":"ping"}\n`);
  input.write(`{"jsonrpc":"2.0","id":6,"method":7}\n`);
  say([request(7, "ping"), initialized, { jsonrpc: "2.0", id: 8 }], []);
  input.end();
  await done;
  const errors = heard().flatMap((answer) =>
    answer["error"] ? [[answer["id"], (answer["error"] as JsonObject)["code"]]] : [],
  );
  assert.deepEqual(errors, [
    [null, -32_700],
    [null, -32_700],
    [null, -32_600],
    [6, -32_600],
    [null, -32_600],
  ]);
  const batch = heard().find((answer) => Array.isArray(answer)) as unknown as JsonObject[];
  assert.deepEqual(
    batch.map(({ id, error }) => [id, error === undefined]),
    [
      [7, true],
      [8, false],
    ],
  );
});

test("stdio: batches are refused from 2025-06-18 on", async () => {
  const { say, input, done, heard } = open();
  say(initializeMessage("2025-06-18"), [request(7, "ping")]);
  input.end();
  await done;
  assert.deepEqual(
    heard().map(({ id }) => id),
    ["init", null],
  );
});

test("stdio: a result with line ends leaves on one line", async () => {
  const { say, input, done, heard } = open();
  say(initializeMessage(), callTool(1, "pretty"));
  input.end();
  await done;
  assert.deepEqual(heard()[1], { jsonrpc: "2.0", id: 1, result: { content: [] } });
});

test("stdio: what the session pushes goes out, and a second initialize begins a new one", async () => {
  const { say, input, done, heard, gateway } = open();
  say(initializeMessage());
  await settle();
  const [first] = [...gateway.sessions.all()];
  first?.push('{"pushed":1}');
  say(initializeMessage("2025-03-26"), request(1, "ping"));
  await settle();
  const [second] = [...gateway.sessions.all()];
  assert.equal(gateway.sessions.size, 1);
  assert.equal(second?.protocolVersion, "2025-03-26");
  second?.push('{"pushed":2}');
  input.end();
  await done;
  assert.deepEqual(
    heard().flatMap(({ pushed }) => pushed ?? []),
    [1, 2],
  );
});

test("stdio: at the end of input running requests get the shutdown time, then are cancelled", async () => {
  const { say, input, done, clock, gateway } = open(fakeGateway({ server: { shutdown_timeout: "5s" } }));
  say(initializeMessage(), callTool(1, "wait"));
  input.end();
  let ended = false;
  void done.then(() => {
    ended = true;
  });
  await clock.advance(4_999);
  assert.equal(ended, false);
  await clock.advance(1);
  await done;
  assert.equal(gateway.sessions.size, 0);
  assert.equal(clock.pending, 0);
});

test("stdio: a defect is answered, and not with its text", async () => {
  const { say, input, done, heard } = open();
  say(initializeMessage(), callTool(1, "boom"), callTool(2, "echo"));
  input.end();
  await done;
  const failed = heard().find(({ id }) => id === 1) as { error: { data: JsonObject } } | undefined;
  assert.equal(failed?.error.data["code"], "INTERNAL");
  assert.doesNotMatch(JSON.stringify(failed), /a defect/);
});

test("stdio: a client that does not read is not read from", async () => {
  const gateway = fakeGateway();
  const input = new Pipe();
  const held: (() => void)[] = [];
  const output = { write: () => new Promise<void>((resolve) => void held.push(resolve)) };
  const done = serveStdio({ gateway, input, output, clock: new FakeClock() });
  input.write(`${JSON.stringify(initializeMessage())}\n`);
  const call = JSON.stringify(callTool(1, "echo", { text: "x".repeat(1_000_000) }));
  for (let count = 0; count < 20; count++) {
    input.write(`${call}\n`);
    await settle();
  }
  assert.ok(gateway.seen.length < 10, `${gateway.seen.length} messages were taken`);
  input.end();
  const free = setInterval(() => {
    for (const release of held.splice(0)) release();
  }, 1);
  await done;
  clearInterval(free);
  assert.equal(gateway.seen.length, 21);
});
