import assert from "node:assert/strict";
import { test } from "node:test";
import { windowsProgram } from "../../src/runtime/windows-program.ts";

const env = { PATH: "C:\\Windows;C:\\node" };
const installed = new Set([
  "C:\\node\\npx.cmd",
  "C:\\node\\npm.cmd",
  "C:\\node\\node.exe",
  "C:\\node\\node_modules\\npm\\bin\\npx-cli.js",
  "C:\\node\\node_modules\\npm\\bin\\npm-cli.js",
]);
const exists = (path: string) => installed.has(path);

test("windowsProgram runs npx and npm without their batch file", () => {
  const script = "C:\\node\\node_modules\\npm\\bin\\npx-cli.js";
  for (const command of ["npx", "npx.cmd", "NPX"])
    assert.deepEqual(windowsProgram([command, "-y", "a & b"], env, "win32", exists), [
      "C:\\node\\node.exe",
      script,
      "-y",
      "a & b",
    ]);
});

test("windowsProgram leaves everything else as it is", () => {
  for (const argv of [["python", "x"], ["C:\\own\\npx.cmd"], []])
    assert.deepEqual(windowsProgram(argv, env, "win32", exists), argv);
  assert.deepEqual(windowsProgram(["npx"], env, "linux", exists), ["npx"]);
  assert.deepEqual(windowsProgram(["npx"], { PATH: "C:\\empty" }, "win32", exists), ["npx"]);
});
