import assert from "node:assert/strict";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { createLogOutput, type LogOutput } from "../../src/runtime/log-output.ts";

/** What ends up in the file the output writes to. */
async function written(use: (output: LogOutput) => void): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "log-output-"));
  const file = join(folder, "log");
  const descriptor = openSync(file, "w");
  try {
    const output = createLogOutput(descriptor);
    use(output);
    await output.flushed(5_000);
    return readFileSync(file, "utf8");
  } finally {
    closeSync(descriptor);
    rmSync(folder, { recursive: true });
  }
}

test("LogOutput.write keeps the order of lines, and flushed waits for the last one", async () => {
  const lines = Array.from({ length: 1_000 }, (_, n) => `line ${n} – ü`);
  const log = await written((output) => {
    for (const line of lines) output.write(line);
  });
  assert.equal(log, `${lines.join("\n")}\n`);
});

test("LogOutput.write keeps 1 MB of what nobody takes, and says how many lines it dropped", async () => {
  const line = "x".repeat(1_023);
  const log = await written((output) => {
    for (let n = 0; n < 3_000; n++) output.write(line);
  });
  const lines = log.trimEnd().split("\n");
  // The first one was on its way at once.
  assert.equal(lines.filter((text) => text === line).length, 1_025);
  assert.equal(lines.at(-1), "1975 log lines were dropped because nobody read them");
});

test("LogOutput.flushed gives up what cannot be written", async () => {
  const output = createLogOutput(1_000_000);
  output.write("nowhere");
  await output.flushed(5_000);
});
