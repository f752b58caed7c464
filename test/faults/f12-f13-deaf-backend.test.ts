import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { GatewayProcess } from "../e2e/harness.ts";
import { isAlive, until } from "../fixtures/processes.ts";
import { httpClient, startStdioGateway } from "./client.ts";
import { bystander, eventually, health, peakRssMb, rawBackend, unlimited, withGateway } from "./gateway.ts";

describe("F12 backend that stops reading its input", () => {
  test("calls to it end at its timeout, then it is replaced at the byte limit; others are served, memory is bounded", () =>
    withGateway(
      { failsafe: unlimited, backends: { full: { ...rawBackend(), timeout: "2s" }, fine: rawBackend() } },
      async (gateway) => {
        const full = await httpClient(gateway, "/mcp/full");
        const stop = bystander(await httpClient(gateway, "/mcp/fine"));
        const before = (await full.call("pid")).text;
        assert.equal((await full.call("stopReading")).text, "stopped");
        const peak = peakRssMb(gateway.child.pid!);
        const text = "x".repeat(9_000_000);
        const late = await full.call("echo", { text });
        assert.equal(late.code, "TIMEOUT");
        const outcomes = await Promise.all(Array.from({ length: 7 }, () => full.call("echo", { text })));
        for (const { code, text, tookMs } of outcomes) {
          assert.ok(code === "UPSTREAM_CLOSED" || code === "TIMEOUT", text);
          assert.ok(tookMs < 15_000, `${tookMs} ms`);
        }
        assert.ok(outcomes.some(({ text }) => /"full" was killed because it stopped reading its input/.test(text)));
        await stop();
        assert.ok(peak() < 600, `${peak()} MB at most`);
        await until(() => !isAlive(Number(before)));
        assert.equal((await full.call("echo", { text: "again" })).text, "again");
      },
    ));
});

describe("F13 backend that ignores the end of its input and SIGTERM, and has children that do", () => {
  const deaf = rawBackend("--deaf", "--grandchild");
  const debug = { args: ["--log-level", "debug"] };

  async function familyOf(gateway: Pick<GatewayProcess, "port" | "stderr">): Promise<number[]> {
    const client = await httpClient(gateway, "/mcp/deaf");
    const { text, tookMs } = await client.call("pid");
    assert.ok(tookMs < 5_000, "the answer does not wait for anything to end");
    const grandchild = await eventually(
      () => /grandchild (\d+)/.exec(gateway.stderr())?.[1],
      (found) => found !== undefined,
    );
    const family = [Number(text), Number(grandchild)];
    assert.ok(family.every(isAlive), `${family}`);
    return family;
  }
  const areGone = (family: readonly number[]) =>
    eventually(
      () => family.filter(isAlive),
      ({ length }) => length === 0,
    );

  async function isGoneAfterHost(ends: "closes the input" | "kills the gateway"): Promise<void> {
    const gateway = await startStdioGateway({ backends: { deaf: rawBackend("--deaf") } });
    try {
      const pid = Number((await gateway.invoke("deaf", "pid")).text);
      assert.ok(isAlive(pid));
      if (ends === "closes the input") {
        gateway.child.stdin!.end();
        assert.equal(await gateway.exited, 0, gateway.stderr());
      } else gateway.child.kill("SIGKILL");
      await areGone([pid]);
    } finally {
      await gateway.stop();
    }
  }

  test("it is gone, with its children, after it was idle, after the gateway was stopped or killed, over HTTP and stdio", async () => {
    const config = { failsafe: unlimited, backends: { deaf } };
    const ways = [
      withGateway(
        { ...config, backends: { deaf: { ...deaf, stop_when_idle_for: "200ms" } } },
        async (gateway) => {
          await areGone(await familyOf(gateway));
          assert.equal((await health(gateway)).status, "healthy");
        },
        debug,
      ),
      withGateway(
        { ...config, server: { shutdown_timeout: "1s" } },
        async (gateway) => {
          const family = await familyOf(gateway);
          const startedMs = performance.now();
          assert.equal(await gateway.stop("SIGTERM"), 0);
          assert.ok(performance.now() - startedMs < 15_000, `stopped in ${performance.now() - startedMs} ms`);
          assert.deepEqual(family.filter(isAlive), []);
        },
        debug,
      ),
      withGateway(
        config,
        async (gateway) => {
          const family = await familyOf(gateway);
          await gateway.stop("SIGKILL");
          await areGone(family);
        },
        debug,
      ),
      isGoneAfterHost("closes the input"),
      isGoneAfterHost("kills the gateway"),
    ];
    await Promise.all(ways);
  });
});
