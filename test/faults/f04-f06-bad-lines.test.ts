import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { httpClient } from "./client.ts";
import { bystander, eventually, health, peakRssMb, rawBackend, rssMb, unlimited, withGateway } from "./gateway.ts";

const backends = {
  rude: { ...rawBackend("--noisy-start"), timeout: "20s", max_result_size: 16_777_216 },
  fine: rawBackend(),
};
const config = { failsafe: unlimited, backends };

describe("F4 garbage on stdout", () => {
  test("binary, partial JSON, log lines, CRLF and a byte order mark cost nothing but themselves", () =>
    withGateway(config, async (gateway) => {
      const client = await httpClient(gateway, "/mcp/rude");
      const { pid } = (await health(gateway)).backends["rude"]!;
      assert.deepEqual((await client.call("garbage")).result, { after: "garbage" });
      const noise = await client.call("noise", { lines: 200_000 });
      assert.equal(noise.text, "after the noise");
      const partial = await client.call("partialJson");
      assert.equal(partial.code, "UPSTREAM_PROTOCOL");
      assert.match(partial.text, /"rude" answered with a line that is not JSON/);
      assert.ok(partial.tookMs < 10_000, "not at the timeout");
      assert.equal((await client.call("echo", { text: "still here" })).text, "still here");
      assert.equal((await health(gateway)).backends["rude"]!.pid, pid, "nobody had to be restarted");
    }));

  test("a line without end is read no further than the cap: bounded memory, an error, a fresh process", () =>
    withGateway(config, async (gateway) => {
      const rude = await httpClient(gateway, "/mcp/rude");
      const stop = bystander(await httpClient(gateway, "/mcp/fine"));
      const before = await rude.call("pid");
      const beforeMb = rssMb(gateway.child.pid!);
      const peak = peakRssMb(gateway.child.pid!);
      const { code, text } = await rude.call("endless");
      assert.ok(code === "UPSTREAM_CLOSED", text);
      assert.match(text, /"rude" was killed because it wrote a line without end/);
      const peakMb = peak();
      assert.ok(peakMb < beforeMb + 3 * 16 + 80, `${beforeMb} MB before, ${peakMb} MB at most`);
      await stop();
      const after = await rude.call("pid");
      assert.equal(after.failed, false, after.text);
      assert.notEqual(after.text, before.text);
    }));
});

describe("F5 bytes that are no text", () => {
  const cases: Record<string, { code?: string; result?: object }> = {
    badUtf8: { code: "UPSTREAM_PROTOCOL" },
    surrogateBytes: { code: "UPSTREAM_PROTOCOL" },
    rawNul: { code: "UPSTREAM_PROTOCOL" },
    // Legal JSON, and passed on as it came.
    loneSurrogate: { result: { text: "\ud800 \0" } },
  };

  test("invalid UTF-8 and raw NUL fail their own call, escapes pass, and no other call sees any of it", () =>
    withGateway(config, async (gateway) => {
      const client = await httpClient(gateway, "/mcp/rude");
      const words = "Zürich, 東京, 🚀, \u000a and \ud83d";
      for (const [tool, { code, result = {} }] of Object.entries(cases)) {
        const [bad, ...good] = await Promise.all([
          client.call(tool),
          ...Array.from({ length: 10 }, () => client.call("echo", { text: words })),
        ]);
        assert.equal(bad!.code, code, `${tool}: ${bad!.text}`);
        if (code === undefined) assert.deepEqual(bad!.result, result);
        else assert.match(bad!.text, /"rude" answered with a line that is not/);
        for (const { text } of good) assert.equal(text.toWellFormed(), words.toWellFormed());
      }
    }));
});

describe("F6 response ids that fit nothing", () => {
  test("the first answer counts, duplicate, unknown, string and null ids are dropped and counted, late ones too", () =>
    withGateway(
      { failsafe: unlimited, backends: { rude: { ...rawBackend(), timeout: "1s", stop_when_idle_for: "700ms" } } },
      async (gateway) => {
        const client = await httpClient(gateway, "/mcp/rude");
        for (let round = 0; round < 3; round++) {
          assert.equal((await client.call("ids")).text, "first");
          assert.equal((await client.call("echo", { text: `echo ${round}` })).text, `echo ${round}`);
        }
        const late = await client.call("sleep", { ms: 1_300 });
        assert.equal(late.code, "TIMEOUT");
        const others = Array.from({ length: 40 }, async (_, n) => {
          await sleep(n * 15);
          assert.equal((await client.call("echo", { text: `after ${n}` })).text, `after ${n}`);
        });
        await Promise.all(others);
        const dropped = await eventually(
          () => /droppedMessages=(\d+)/.exec(gateway.stderr())?.[1],
          (found) => found !== undefined,
        );
        assert.equal(Number(dropped), 3 * 5 + 1, gateway.stderr().slice(-500));
      },
      { args: ["--log-level", "debug"] },
    ));
});
