import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { writeConfig } from "../e2e/harness.ts";
import { httpClient } from "./client.ts";
import { health, linesOf, rawBackend, unlimited, withGateway } from "./gateway.ts";

const secret = "zebra-7719-quartz";

describe("F2 backend that exits before it answers initialize", () => {
  test("the error comes at once, with the exit and the last words, without the secret in them", () => {
    const backends = {
      broken: {
        ...rawBackend("--show-env=SERVICE_TOKEN", "--exit-at-start"),
        env: { SERVICE_TOKEN: secret },
        start_timeout: "30s",
      },
    };
    return withGateway(
      { backends },
      async (gateway) => {
        const client = await httpClient(gateway);
        const { failed, code, text, tookMs } = await client.invoke("broken", "echo");
        assert.ok(failed);
        assert.equal(code, "UPSTREAM_START_FAILED");
        assert.match(
          text,
          /"broken".* exited with code 3; last stderr: .*SERVICE_TOKEN is \[redacted\].*no API key given/s,
        );
        assert.ok(tookMs < 5_000, `${tookMs} ms`);
        const everything = text + JSON.stringify(await health(gateway)) + gateway.stderr();
        assert.ok(!everything.includes(secret));
      },
      { args: ["--log-level", "debug"] },
    );
  });

  test("whatever the demand, it is started at growing intervals, and whoever comes between hears when to come again", () => {
    const { folder } = writeConfig({});
    const spawnLog = join(folder, "spawns");
    const backends = { broken: rawBackend(`--spawn-log=${spawnLog}`, "--exit-at-start") };
    return withGateway({ failsafe: unlimited, backends }, async (gateway) => {
      const client = await httpClient(gateway, "/mcp/broken");
      const endMs = performance.now() + 4_000;
      let refused = 0;
      while (performance.now() < endMs) {
        const { code, facts } = await client.call("echo");
        assert.equal(code, "UPSTREAM_START_FAILED");
        if (typeof facts["retry_after_ms"] === "number") refused++;
        await sleep(10);
      }
      // Not before 0, 0.5, 2, 6.5, 20 seconds: five in the first minute.
      const startsMs = linesOf(spawnLog).map((line) => Number(line.split(" ")[1]));
      assert.ok(startsMs.length >= 2 && startsMs.length <= 3, `${startsMs.length} starts in 4 s`);
      assert.ok(startsMs[1]! - startsMs[0]! >= 490, "first pause");
      if (startsMs.length === 3) assert.ok(startsMs[2]! - startsMs[1]! >= 1_490, "second pause");
      assert.ok(refused > 50, `${refused} calls refused without a start`);
    });
  });
});

describe("F3 backend that never answers initialize", () => {
  const backends = {
    mute: { ...rawBackend("--never-initialize"), start_timeout: "1500ms", description: "Never answers" },
    fine: rawBackend(),
  };
  const config = { failsafe: unlimited, meta_mcp: { warm_start: ["mute", "fine"] }, backends };

  test("others work meanwhile, search answers without it and says so, its start ends at start_timeout", () =>
    withGateway(config, async (gateway) => {
      const client = await httpClient(gateway);
      const startedMs = performance.now();
      const call = client.invoke("mute", "echo");
      const other = await client.invoke("fine", "echo", { text: "here" });
      assert.equal(other.text, "here");
      const list = await client.call("gateway_list_tools", { server: "fine" });
      assert.equal(list.failed, false, list.text);

      const search = async () => {
        const { text } = await client.call("gateway_search_tools", { query: "echo" });
        return JSON.parse(text) as {
          matches: { server: string; tool: string }[];
          not_searched: { server: string; reason: string }[];
        };
      };
      const found = await search();
      assert.ok(performance.now() - startedMs < 10_000);
      assert.ok(found.matches.some(({ server, tool }) => server === "fine" && tool === "echo"));
      assert.deepEqual(
        found.not_searched.map(({ server }) => server),
        ["mute"],
      );

      const { code, text, tookMs } = await call;
      assert.equal(code, "UPSTREAM_START_FAILED");
      assert.match(text, /"mute" did not answer "initialize" within 1500 ms/);
      assert.ok(tookMs < 10_000, `${tookMs} ms`);
      assert.match((await search()).not_searched[0]!.reason, /down: .*did not answer "initialize"/);
      assert.equal((await health(gateway)).status, "degraded");
    }));
});
