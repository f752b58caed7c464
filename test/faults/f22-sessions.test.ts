/** Sessions outlive the process: restart, `kill -9` at any moment, and whatever that leaves on disk. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, test } from "node:test";
import { binaryPath, endedWithTests, environmentIn, freePort, writeConfig } from "../e2e/harness.ts";
import { until } from "../fixtures/processes.ts";
import { scriptArgv } from "../fixtures/script-argv.ts";
import { HttpClient } from "../security/clients.ts";

const keys = { a: "key-of-client-a-0123456789", b: "key-of-client-b-0123456789" };
const as = (key: string) => ({ authorization: `Bearer ${key}` });

/** One place that a gateway is started in again and again. */
async function place() {
  const port = await freePort();
  const { folder, configPath } = writeConfig({
    server: { host: "127.0.0.1", port },
    capabilities: { enabled: false },
    auth: { enabled: true, api_keys: Object.values(keys).map((key, at) => ({ key, name: `client ${at}` })) },
    backends: { raw: { command: scriptArgv("stdio-backend.mjs", "--resources") } },
  });
  const url = `http://127.0.0.1:${port}`;
  let child: ChildProcess | undefined;
  const start = async () => {
    child = endedWithTests(
      spawn(binaryPath, ["serve", "--config", configPath, "--log-level", "error"], {
        env: environmentIn(folder),
        stdio: ["ignore", "ignore", "pipe"],
      }),
    );
    const running = child;
    let errors = "";
    running.stderr?.setEncoding("utf8").on("data", (chunk: string) => (errors += chunk));
    const deadline = performance.now() + 30_000;
    while (performance.now() < deadline && running.exitCode === null) {
      const response = await fetch(`${url}/liveness`).catch(() => undefined);
      if (response?.ok) return;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    throw new Error(
      `The gateway does not answer; it ended with ${running.exitCode ?? "nothing yet"} and said: ${errors}`,
    );
  };
  const end = async (signal: NodeJS.Signals) => {
    const ending = child as ChildProcess;
    ending.kill(signal);
    await until(() => ending.exitCode !== null || ending.signalCode !== null, 10_000);
  };
  const sessions = join(folder, "state", "sessions");
  const files = () => {
    try {
      // Not those that are being written.
      return readdirSync(sessions)
        .filter((name) => name.endsWith(".json"))
        .map((name) => join(sessions, name));
    } catch {
      return [];
    }
  };
  return { folder, url, start, end, files };
}

let cleanUp = async () => {};
afterEach(() => cleanUp());

async function started() {
  const here = await place();
  cleanUp = async () => {
    await here.end("SIGKILL");
    rmSync(here.folder, { recursive: true, force: true });
  };
  await here.start();
  return here;
}

describe("F22 sessions", () => {
  test("the next call on the old session id works after a restart and after kill -9, and for nobody else", async () => {
    const { url, start, end, files } = await started();
    const client = await HttpClient.open(`${url}/mcp`, as(keys.a));
    const alone = await HttpClient.open(`${url}/mcp/raw`, as(keys.b));
    await until(() => files().length === 2);
    for (const signal of ["SIGTERM", "SIGKILL", "SIGKILL"] as const) {
      await end(signal);
      await start();
      const { message } = await client.invoke("raw", "echo", { text: signal });
      assert.equal(message.result.content[0].text, signal);
      assert.equal((await alone.tool("echo", { text: "b" })).message.result.content[0].text, "b");
    }
    await end("SIGKILL");
    await start();
    const stranger = new Headers({ ...client.headers, ...as(keys.b) });
    const answered = await fetch(client.url, { method: "DELETE", headers: stranger });
    assert.equal(answered.status, 404);
    for (const file of files()) {
      const text = readFileSync(file, "utf8") + file;
      assert.ok(!text.includes(client.sessionId) && !text.includes(keys.a), "neither id nor key is on disk");
    }
    assert.equal((await fetch(client.url, { method: "DELETE", headers: client.headers })).status, 204);
    await until(() => files().length === 1);
    await end("SIGKILL");
    await start();
    assert.equal((await client.request("ping")).status, 404, "ended is ended");
  });

  test("level and subscriptions are those of before, and updates reach the stream that is opened again", async () => {
    const { url, start, end } = await started();
    const client = await HttpClient.open(`${url}/mcp`, as(keys.a));
    await client.request("resources/subscribe", { uri: "test://own" });
    const listen = (lastEventId?: string) =>
      fetch(client.url, {
        headers: {
          ...client.headers,
          accept: "text/event-stream",
          ...(lastEventId === undefined ? {} : { "last-event-id": lastEventId }),
        },
      });
    const reader = (await listen()).body?.getReader();
    const first = new TextDecoder().decode((await reader?.read())?.value);
    const id = /^id: (.*)$/m.exec(first)?.[1];
    assert.ok(id);
    await new Promise((resolve) => setTimeout(resolve, 100));
    await end("SIGKILL");
    await start();
    const stream = (await listen(id)).body?.getReader() as ReadableStreamDefaultReader<Uint8Array>;
    assert.equal((await client.invoke("raw", "watched")).message.result.content[0].text, "+test://own");
    await client.invoke("raw", "update", { uri: "test://own" });
    let heard = "";
    while (!heard.includes("resources/updated")) {
      const { value, done } = await stream.read();
      assert.ok(!done, heard);
      heard += new TextDecoder().decode(value);
    }
    assert.match(heard, /"uri":"test:\/\/own"/);
    await stream.cancel();
  });

  test("killed at a hundred random moments of saving, a file is old or new, and every start is clean", async () => {
    const { url, start, end, files } = await started();
    const open = new Map<string, HttpClient>();
    for (let round = 0; round < 100; round++) {
      const opened = await Promise.all(Array.from({ length: 3 }, () => HttpClient.open(`${url}/mcp`, as(keys.a))));
      for (const client of opened) {
        open.set(client.sessionId, client);
        void client.request("logging/setLevel", { level: "error" }).catch(() => {});
      }
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 15));
      await end("SIGKILL");
      for (const file of files()) {
        const text = readFileSync(file, "utf8");
        assert.equal(JSON.parse(text).principal.startsWith("key:"), true, text);
      }
      await start();
    }
    let known = 0;
    for (const client of open.values()) {
      const { status } = await client.request("ping");
      assert.ok(status === 200 || status === 404);
      if (status === 200) known++;
    }
    assert.equal(known, files().length);
    assert.ok(known > 0);
  });

  test("what cannot be read is no session, and harms none", async () => {
    const { url, start, end, files } = await started();
    const client = await HttpClient.open(`${url}/mcp`, as(keys.a));
    const other = await HttpClient.open(`${url}/mcp`, as(keys.a));
    await until(() => files().length === 2);
    await end("SIGKILL");
    const [first] = files() as [string];
    const text = readFileSync(first, "utf8");
    for (const broken of ["", "{", "[]", "null", text.slice(0, 40), text.replace('"version":1', '"version":9')]) {
      writeFileSync(first, broken);
      await start();
      const statuses = [(await client.request("ping")).status, (await other.request("ping")).status];
      assert.deepEqual(statuses.sort(), [200, 404], JSON.stringify(broken.slice(0, 50)));
      await end("SIGKILL");
    }
    await start();
  });
});
