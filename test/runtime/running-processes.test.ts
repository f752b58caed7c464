import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { runningProcesses } from "../../src/runtime/running-processes.ts";

test("runningProcesses: a program with its arguments, for as long as it runs, and never this one", async (t) => {
  if (process.platform === "win32") return t.skip("Windows tells no arguments without rights");
  const child = spawn("/bin/sh", ["-c", "read line", "mcp-probe", "--port", "4001"], {
    stdio: ["pipe", "ignore", "ignore"],
  });
  await once(child, "spawn");
  const found = () => runningProcesses().find(({ pid }) => pid === child.pid);
  // Until it has become the program it is, it shows what it came from.
  while (!found()?.argv.includes("mcp-probe")) await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(found()?.argv.slice(-3), ["mcp-probe", "--port", "4001"]);
  assert.ok(!runningProcesses().some(({ pid }) => pid === process.pid));
  child.stdin.end();
  await once(child, "exit");
  assert.equal(found(), undefined);
});
