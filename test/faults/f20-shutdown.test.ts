import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { GatewayProcess } from "../e2e/harness.ts";
import { isAlive } from "../fixtures/processes.ts";
import { type Client, httpClient, type Outcome, startStdioGateway } from "./client.ts";
import { eventually, linesOf, rawBackend, unlimited, withGateway } from "./gateway.ts";
import { withHttpBackend } from "./http-backend.ts";

const backends = { a: rawBackend(), b: rawBackend() };
const config = { failsafe: unlimited, server: { shutdown_timeout: "10s" }, backends };

const gateIn = (folder: string) => join(folder, "gate");
const openGate = (folder: string) => writeFileSync(gateIn(folder), "");

/** Starts `count` calls, half of them at each backend, and waits until all run. They end when the gate is opened. */
async function startCalls(client: Client, folder: string, count: number): Promise<Promise<Outcome>[]> {
  const file = join(folder, "running");
  const gate = gateIn(folder);
  const calls = Array.from({ length: count }, (_, n) => client.invoke(n % 2 ? "a" : "b", "work", { file, gate }));
  await eventually(
    () => linesOf(file).length,
    (started) => started === count,
  );
  return calls;
}

async function pidsOf(client: Client): Promise<number[]> {
  return Promise.all(["a", "b"].map(async (name) => Number((await client.invoke(name, "pid")).text)));
}

async function statusOf({ port }: GatewayProcess, path: string): Promise<number | string> {
  try {
    return (await fetch(`http://127.0.0.1:${port}${path}`)).status;
  } catch (error) {
    return String(error);
  }
}

const exitOf = ({ child }: GatewayProcess): Promise<number | null> =>
  child.exitCode !== null
    ? Promise.resolve(child.exitCode)
    : new Promise((resolve) => child.once("exit", (code) => resolve(code)));

describe("F20 stop while calls run", () => {
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const)
    test(`${signal}: not ready at once, new calls are refused, all that run are answered, exit 0, no child is left`, () =>
      withGateway(config, async (gateway) => {
        const client = await httpClient(gateway);
        const pids = await pidsOf(client);
        const running = await startCalls(client, gateway.folder, 200);
        const exit = exitOf(gateway);
        const signalledMs = performance.now();
        gateway.child.kill(signal);
        await eventually(
          () => statusOf(gateway, "/readiness"),
          (status) => status === 503,
          1_000,
        );
        assert.equal(await statusOf(gateway, "/liveness"), 200);
        const refused = await client.invoke("a", "echo", { text: "too late" });
        assert.equal(refused.code, "SHUTTING_DOWN", refused.text);
        openGate(gateway.folder);
        for (const { failed, text } of await Promise.all(running)) {
          assert.equal(failed, false, text);
          assert.ok(pids.includes(Number(text)), text);
        }
        assert.equal(await exit, 0);
        assert.ok(performance.now() - signalledMs < 10_000, "within shutdown_timeout");
        assert.deepEqual(pids.filter(isAlive), []);
      }));

  test("calls that outlast shutdown_timeout, queued ones too, get an error, not a cut connection, and the exit is still 0", () =>
    withHttpBackend({ silent: () => {} }, async ({ url }) => {
      const queueing = { ...rawBackend(), failsafe: { concurrency: { max_concurrent: 20 } } };
      await withGateway(
        {
          ...config,
          server: { shutdown_timeout: "500ms" },
          backends: { a: queueing, b: rawBackend(), far: { http_url: url } },
        },
        async (gateway) => {
          const client = await httpClient(gateway);
          const pids = await pidsOf(client);
          const running = await startCalls(client, gateway.folder, 40);
          const more = ["a", "far"].flatMap((name) => Array.from({ length: 10 }, () => client.invoke(name, "silent")));
          await sleep(100);
          const exit = exitOf(gateway);
          gateway.child.kill("SIGTERM");
          for (const { failed, code, text } of await Promise.all([...running, ...more])) {
            assert.ok(failed);
            assert.match(String(code), /UPSTREAM_CLOSED|SHUTTING_DOWN/, text);
          }
          assert.equal(await exit, 0);
          assert.deepEqual(pids.filter(isAlive), []);
        },
      );
    }));

  test("a second signal ends it now, whatever its backends still do, and they are gone too", () =>
    withGateway(
      {
        failsafe: unlimited,
        server: { shutdown_timeout: "30s" },
        backends: { a: rawBackend("--deaf"), b: rawBackend("--deaf") },
      },
      async (gateway) => {
        const client = await httpClient(gateway);
        const pids = await pidsOf(client);
        // Nobody answers them any more.
        const cut = Promise.allSettled(await startCalls(client, gateway.folder, 20));
        const exit = exitOf(gateway);
        gateway.child.kill("SIGTERM");
        await eventually(
          () => statusOf(gateway, "/readiness"),
          (status) => status === 503,
        );
        // Sooner, it could be the same Ctrl-C, passed on by a wrapper.
        await sleep(150);
        const secondMs = performance.now();
        gateway.child.kill("SIGINT");
        assert.equal(await exit, 1);
        assert.ok(performance.now() - secondMs < 5_000, `${performance.now() - secondMs} ms`);
        await cut;
        await eventually(
          () => pids.filter(isAlive),
          ({ length }) => length === 0,
        );
      },
    ));

  for (const end of ["SIGTERM", "input"] as const)
    test(`over stdio, ${end === "input" ? "the end of the input" : end}: what runs is answered, exit 0, no child is left`, async () => {
      const gateway = await startStdioGateway(config);
      try {
        const pids = await pidsOf(gateway);
        const running = await startCalls(gateway, gateway.folder, 100);
        if (end === "input") gateway.child.stdin!.end();
        else gateway.child.kill(end);
        await sleep(100);
        openGate(gateway.folder);
        for (const { failed, text } of await Promise.all(running)) assert.equal(failed, false, text);
        assert.equal(await gateway.exited, 0, gateway.stderr());
        assert.deepEqual(pids.filter(isAlive), []);
      } finally {
        await gateway.stop();
      }
    });
});
