import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { isAlive } from "../fixtures/processes.ts";
import { httpClient } from "./client.ts";
import { bystander, eventually, health, linesOf, rawBackend, withGateway } from "./gateway.ts";

const failsafe = { rate_limit: { enabled: false } };
const before = {
  failsafe,
  backends: {
    removed: rawBackend(),
    renamed: rawBackend(),
    changed: { ...rawBackend(), env: { EDITION: "one" } },
    kept: { ...rawBackend(), description: "Before" },
    // Its policies change, its process does not.
    tuned: { ...rawBackend(), timeout: "30s" },
  },
};
const after = {
  failsafe,
  backends: {
    newName: rawBackend(),
    changed: { ...rawBackend(), env: { EDITION: "two" } },
    kept: { ...rawBackend(), description: "After" },
    tuned: { ...rawBackend(), timeout: "20s", failsafe: { concurrency: { max_concurrent: 50 } } },
  },
};
/** 225 in all: `fetch` of this process keeps 256 connections at most, and some must be left for the others. */
const perBackend = 45;

describe("F17 reload while 225 calls run", () => {
  test("they end on the instances they began on, new calls go to the new ones, unchanged backends keep their process", () =>
    withGateway(before, async (gateway) => {
      const client = await httpClient(gateway);
      const stop = bystander(await httpClient(gateway, "/mcp/kept"));
      const names = Object.keys(before.backends);
      const pids: Record<string, string> = {};
      for (const name of names) pids[name] = (await client.invoke(name, "pid")).text;

      const file = join(gateway.folder, "started");
      const gate = join(gateway.folder, "gate");
      const running = names.flatMap((name) =>
        Array.from({ length: perBackend }, async () => ({
          name,
          outcome: await client.invoke(name, "work", { file, gate }),
        })),
      );
      await eventually(
        () => linesOf(file).length,
        (started) => started >= 200,
      );
      writeFileSync(
        gateway.configPath,
        JSON.stringify({
          ...after,
          capabilities: { enabled: false },
          server: { host: "127.0.0.1", port: gateway.port },
        }),
      );
      await eventually(
        () => health(gateway),
        ({ backends }) => "newName" in backends,
      );
      assert.deepEqual(
        names.map((name) => isAlive(Number(pids[name]))),
        names.map(() => true),
        "nobody was stopped under running calls",
      );

      const { env } = JSON.parse(`{"env":${(await client.invoke("changed", "env")).text}}`) as {
        env: { EDITION: string };
      };
      assert.equal(env.EDITION, "two");
      assert.equal((await client.invoke("kept", "pid")).text, pids["kept"]);
      assert.equal((await client.invoke("tuned", "pid")).text, pids["tuned"]);
      assert.equal((await client.invoke("newName", "echo", { text: "new" })).text, "new");
      for (const name of ["removed", "renamed"]) {
        const gone = await client.invoke(name, "pid");
        assert.equal(gone.code, "SERVER_NOT_FOUND", gone.text);
      }

      writeFileSync(gate, "");
      for (const { name, outcome } of await Promise.all(running)) {
        assert.equal(outcome.failed, false, `${name}: ${outcome.text}`);
        assert.equal(outcome.text, pids[name], name);
      }
      assert.equal(linesOf(file).length, perBackend * names.length, "each ran once");
      await eventually(
        () => ["removed", "renamed", "changed"].filter((name) => isAlive(Number(pids[name]))),
        (left) => left.length === 0,
      );
      await stop();
      const { backends } = await health(gateway);
      for (const name of ["kept", "tuned"]) {
        assert.equal(backends[name]!.pid, Number(pids[name]));
        assert.equal(backends[name]!.restart_count, 0);
      }
    }));

  test("reloads in a row under constant calls: none of them fails", () =>
    withGateway({ failsafe, backends: { a: rawBackend(), b: rawBackend() } }, async (gateway) => {
      const meta = await httpClient(gateway);
      const stops = [bystander(await httpClient(gateway, "/mcp/a")), bystander(meta, "b")];
      for (let edition = 0; edition < 6; edition++) {
        const changing = { ...rawBackend(), env: { EDITION: `${edition}` } };
        const backends = { a: rawBackend(), b: changing };
        const config = { failsafe, capabilities: { enabled: false }, backends };
        writeFileSync(
          gateway.configPath,
          JSON.stringify({ ...config, server: { host: "127.0.0.1", port: gateway.port } }),
        );
        await eventually(
          async () => (await meta.invoke("b", "env")).text,
          (env) => env.includes(`"EDITION":"${edition}"`),
        );
      }
      for (const stop of stops) await stop();
    }));
});
