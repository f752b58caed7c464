/** What somebody sees who starts the executable for the first time. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { binaryPath, environmentIn } from "./harness.ts";

/** The log of a gateway started in the folder, up to the line that says it is ready. */
async function logOf(t: TestContext, folder: string, ...args: string[]): Promise<string> {
  const child = spawn(binaryPath, ["--port", "0", ...args], {
    cwd: folder,
    env: environmentIn(folder),
    stdio: ["ignore", "ignore", "pipe"],
  });
  t.after(() => child.kill("SIGKILL"));
  let log = "";
  for await (const chunk of child.stderr.setEncoding("utf8")) {
    log += chunk;
    if (/is ready.*\n/.test(log)) break;
  }
  child.kill();
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  return log;
}

function emptyFolder(t: TestContext): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "mcp-gateway-")));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test("without a configuration file it serves, and says where it looked and how to get one", async (t) => {
  const folder = emptyFolder(t);
  const log = await logOf(t, folder);
  assert.match(log, /WARN {2}No configuration file was found; "mcp-gateway init" writes one/);
  assert.ok(
    log.includes(`looked_for="gateway.yaml, config.yaml, ~/.config`) && log.includes(`directory=${folder}`),
    log,
  );
});

test("the file in use is named, found or given", async (t) => {
  const folder = emptyFolder(t);
  mkdirSync(join(folder, "else where"));
  for (const path of ["gateway.yaml", "else where/other.yaml"]) writeFileSync(join(folder, path), "backends: {}\n");
  const found = await logOf(t, folder);
  assert.ok(found.includes(`config=${join(folder, "gateway.yaml")} backends=0`), found);
  const given = await logOf(t, folder, "--config", "else where/other.yaml");
  assert.ok(given.includes(`config="${join(folder, "else where/other.yaml")}"`), given);
  assert.doesNotMatch(found + given, /WARN/);
});
