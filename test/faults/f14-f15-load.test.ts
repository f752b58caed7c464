import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { json, status } from "../fixtures/raw-http-server.ts";
import { type Client, httpClient, type Outcome, startStdioGateway } from "./client.ts";
import { bystander, eventually, health, linesOf, rawBackend, withGateway } from "./gateway.ts";
import { textAnswer, withHttpBackend } from "./http-backend.ts";

const off = { enabled: false };
const perSecond = 500;

/** Calls at an even rate, however long the answers take; resolves with all answers. */
async function storm(client: Client, tool: string, seconds: number): Promise<Outcome[]> {
  const answers: Promise<Outcome>[] = [];
  const startMs = performance.now();
  while (answers.length < perSecond * seconds) {
    const due = Math.min((performance.now() - startMs) * (perSecond / 1_000), perSecond * seconds);
    while (answers.length < due) answers.push(client.call(tool));
    await sleep(2);
  }
  return Promise.all(answers);
}

const failing = { failing: (socket: { write(text: string): boolean }) => void socket.write(status(503, "no")) };

describe("F14 retry storm on a backend that fails every call", () => {
  test("calls that may be repeated add at most 20 % + 10 per second", () =>
    withHttpBackend(
      failing,
      async ({ url, calls }) =>
        withGateway(
          { failsafe: { rate_limit: off, circuit_breaker: off }, backends: { sick: { http_url: url } } },
          async (gateway) => {
            const client = await httpClient(gateway, "/mcp/sick");
            await client.request("tools/list", {});
            const seconds = 2;
            const answers = await storm(client, "failing", seconds);
            assert.ok(answers.every(({ failed }) => failed));
            const extra = calls("failing") - answers.length;
            // The budget is counted over ten seconds, so 100 retries may come at once.
            assert.ok(extra <= 0.2 * answers.length + 100, `${extra} retries for ${answers.length} calls`);
            assert.ok(extra > 20, `${extra} retries: the tool is one that may be repeated`);
          },
        ),
      { safe: true },
    ));

  test("calls that may write are sent once", () =>
    withHttpBackend(failing, async ({ url, calls }) =>
      withGateway(
        { failsafe: { rate_limit: off, circuit_breaker: off }, backends: { sick: { http_url: url } } },
        async (gateway) => {
          const client = await httpClient(gateway, "/mcp/sick");
          await client.request("tools/list", {});
          assert.equal((await storm(client, "failing", 1)).length, perSecond);
          assert.equal(calls("failing"), perSecond);
        },
      ),
    ));

  test("the breaker opens, lets one probe through at a time, and closes within 5 s after the backend has healed", () => {
    let healthy = false;
    let running = 0;
    let mostAtOnce = 0;
    const slow = {
      slow: (socket: { write(text: string): boolean }, id: number) => {
        mostAtOnce = Math.max(mostAtOnce, ++running);
        setTimeout(() => {
          running--;
          socket.write(healthy ? json(textAnswer(id, "well")) : status(503, "no"));
        }, 30);
      },
    };
    const circuit_breaker = { failure_threshold: 5, success_threshold: 2, reset_timeout: "300ms" };
    return withHttpBackend(slow, async ({ url, calls }) =>
      withGateway(
        {
          failsafe: { rate_limit: off, circuit_breaker, health_check: off },
          backends: { sick: { http_url: url }, fine: rawBackend() },
        },
        async (gateway) => {
          const client = await httpClient(gateway, "/mcp/sick");
          const stop = bystander(await httpClient(gateway, "/mcp/fine"));
          await client.call("slow");
          await storm(client, "slow", 0.5);
          assert.notEqual((await health(gateway)).backends["sick"]!.circuit_state, "closed");
          mostAtOnce = 0;
          const before = calls("slow");
          const seconds = 2;
          const refused = await storm(client, "slow", seconds);
          assert.equal(mostAtOnce, 1);
          const probes = calls("slow") - before;
          assert.ok(probes >= 2 && probes <= (seconds * 1_000) / 300 + 1, `${probes} probes in ${seconds} s`);
          const refusal = refused.find(({ code, text }) => code === "CIRCUIT_OPEN" && !text.includes("half-open"))!;
          assert.match(refusal.text, /circuit of server "sick" is open after .* the last failure was: .*HTTP 503/);
          assert.ok((refusal.facts["retry_after_ms"] as number) <= 1_000);

          healthy = true;
          await eventually(
            () => client.call("slow"),
            ({ text }) => text === "well",
            5_000,
          );
          await eventually(
            async () => (await client.call("slow")) && (await health(gateway)).backends["sick"]!.circuit_state,
            (state) => state === "closed",
            5_000,
          );
          await stop();
        },
      ),
    );
  });
});

describe("F15 more calls than a slow backend can take", () => {
  test("ten thousand calls at once: what the queue holds is served in order, the rest is refused at once with a time to wait", async () => {
    const concurrency = { max_concurrent: 20, max_queue: 200, queue_timeout: "30s" };
    const gateway = await startStdioGateway({
      failsafe: { rate_limit: off, circuit_breaker: off },
      backends: { slow: { ...rawBackend(), failsafe: { concurrency } }, fine: rawBackend() },
    });
    try {
      const file = join(gateway.folder, "order");
      // No call ends before the last one was refused: a place would be free for one more of the ten thousand.
      const gate = join(gateway.folder, "gate");
      let left = 10_000 - 220;
      await gateway.invoke("slow", "pid");
      await gateway.invoke("fine", "pid");
      const stop = bystander(gateway, "fine");
      const startedMs = performance.now();
      const answers = Array.from({ length: 10_000 }, (_, n) =>
        gateway.invoke("slow", "work", { file, mark: `${n}`, ms: 100, gate }).then((outcome) => {
          if (outcome.code === "OVERLOADED" && --left === 0) writeFileSync(gate, "");
          return { ...outcome, n, atMs: performance.now() - startedMs };
        }),
      );
      const outcomes = await Promise.all(answers);
      await stop();
      const refused = outcomes.filter(({ code }) => code === "OVERLOADED");
      assert.equal(refused.length, 10_000 - 220);
      assert.match(refused[0]!.text, /Server "slow" has 20 calls running and 200 waiting.*Retry after/);
      assert.equal(refused[0]!.facts["retry_after_ms"], 1_000);
      const served = outcomes.filter(({ failed }) => !failed);
      assert.deepEqual(
        linesOf(file).map((line) => Number(line.split(" ")[0])),
        served.map(({ n }) => n),
        "first come, first served",
      );
      // Eleven rounds of 100 ms are the least there can be; refusals wait for none of them.
      const lastServedMs = Math.max(...served.map(({ atMs }) => atMs));
      assert.ok(lastServedMs >= 1_100, `${lastServedMs} ms`);
      assert.ok(Math.max(...refused.map(({ atMs }) => atMs)) < Math.min(...served.map(({ atMs }) => atMs)));
      assert.ok(lastServedMs < 10_000, `served at ${(served.length * 1_000) / lastServedMs} calls per second of 200`);
    } finally {
      await gateway.stop();
    }
  });

  test("who waits longer than queue_timeout is let go, and the place goes to the next", () => {
    const concurrency = { max_concurrent: 1, max_queue: 5, queue_timeout: "300ms" };
    return withGateway(
      { failsafe: { rate_limit: off, concurrency }, backends: { slow: rawBackend() } },
      async (gateway) => {
        const client = await httpClient(gateway, "/mcp/slow");
        await client.call("pid");
        const first = client.call("sleep", { ms: 700 });
        await sleep(50);
        const waited = await client.call("echo", { text: "too late" });
        assert.equal(waited.code, "OVERLOADED");
        assert.match(waited.text, /had no free place for 300 ms/);
        assert.equal((await first).text, "slept");
        assert.equal((await client.call("echo", { text: "free" })).text, "free");
      },
    );
  });
});
