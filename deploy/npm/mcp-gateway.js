#!/usr/bin/env node
/**
 * Runs the executable that came with the platform package npm chose. No install script and no download: what is run is
 * what npm checked against the lockfile.
 */

const { spawn } = require("node:child_process");
const { chmodSync } = require("node:fs");

const platform = `${process.platform}-${process.arch}${isMusl() ? "-musl" : ""}`;
const program = findProgram(`@mcp-gateway/${platform}`);
const child = spawn(program, process.argv.slice(2), { stdio: "inherit", windowsHide: true });
// A terminal sends Ctrl-C to the child as well, which takes a second signal as the order to leave at once.
process.on("SIGINT", () => process.stdin.isTTY || child.kill("SIGINT"));
for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
child.on("error", (error) => fail(`Cannot run ${program}: ${error.message}`));
child.on("exit", (code, signal) => {
  if (code !== null) process.exit(code);
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
});

function findProgram(name) {
  try {
    const path = require.resolve(`${name}/bin/mcp-gateway${process.platform === "win32" ? ".exe" : ""}`);
    // Some package managers unpack without the executable bit.
    if (process.platform !== "win32") tryTo(() => chmodSync(path, 0o755));
    return path;
  } catch {
    return fail(
      `mcp-gateway has no executable for ${platform}: the package "${name}" is not installed.\n` +
        "Install without --no-optional (--omit=optional), on the machine that runs it.",
    );
  }
}

function tryTo(action) {
  try {
    action();
  } catch {
    // Read-only, or not ours: then it is as it should be, or running it says what is wrong.
  }
}

function isMusl() {
  return process.platform === "linux" && !process.report.getReport().header.glibcVersionRuntime;
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
