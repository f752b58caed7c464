import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLogger } from "../../src/core/log.ts";
import { ServerLog } from "../../src/gateway/server-log.ts";

test("ServerLog: keeps the last lines of each server, whoever logs them", () => {
  const kept = new ServerLog();
  const log = kept.keeping(silentLogger);
  log.info("of no server");
  const one = log.with({ server: "one" });
  for (let line = 0; line < 1_000; line++) one.with({ attempt: 1 }).debug(`line ${line}`, { stream: "stderr" });
  log.with({ server: "two" }).warn("other");
  assert.equal(kept.linesOf("one").length, 100);
  assert.equal(kept.linesOf("one").at(-1)?.message, "line 999");
  assert.deepEqual(
    kept.linesOf("two").map(({ level, message }) => [level, message]),
    [["warn", "other"]],
  );
  kept.forget("two");
  assert.deepEqual(kept.linesOf("two"), []);
});
