import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { isAlive, until } from "../fixtures/processes.ts";
import { scriptArgv } from "../fixtures/script-argv.ts";

const linux = process.platform === "linux";

/** Starts the parent and waits until `count` children and their children are known. */
async function startParent(count: number) {
  const [file, ...args] = scriptArgv("gateway-like.ts", String(count));
  const parent: ChildProcess = spawn(file as string, args, { stdio: ["pipe", "pipe", "inherit"] });
  let output = "";
  parent.stdout?.on("data", (chunk) => {
    output += chunk;
  });
  const pids = () => [...output.matchAll(/child (\d+)/g)].map(([, pid]) => Number(pid));
  await until(() => pids().length === count * 2);
  let wardens: number[] = [];
  // Between fork and exec it still looks like its parent.
  await until(() => {
    wardens = childrenOf(parent.pid as number).filter((pid) => commandOf(pid).includes("groups="));
    return wardens.length > 0 || !linux;
  });
  return { parent, pids: pids(), wardens, output: () => output };
}

function childrenOf(parent: number): number[] {
  return processes().filter((pid) => statOf(pid)[1] === String(parent));
}

function processes(): number[] {
  if (!linux) return [];
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

/** State, parent, group, session. */
function statOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/stat`, "latin1").split(") ")[1]?.split(" ") ?? [];
  } catch {
    return [];
  }
}

function filesOf(pid: number): string[] {
  return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`);
    } catch {
      return []; // The descriptor that listed the folder.
    }
  });
}

/** One bit each: 1 is SIGHUP, 2 is SIGINT, 0x4000 is SIGTERM. */
function ignoredSignals(pid: number): number {
  const mask = /SigIgn:\s+([0-9a-f]+)/.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1] ?? "0";
  return Number.parseInt(mask.slice(-8), 16);
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "latin1");
  } catch {
    return "";
  }
}

test("F13 nothing survives when the parent is killed with SIGKILL, and the warden goes too", async () => {
  const { parent, pids, wardens } = await startParent(3);
  assert.ok(pids.every(isAlive));
  process.kill(parent.pid as number, "SIGKILL");
  await until(() => !pids.some(isAlive) && !wardens.some(isAlive));
});

test("F13 not even what was started in the moment before survives", async () => {
  // Under Deno a pipe is written to after the turn; there the child ends with its input, if it is of good will.
  if (!linux || !("Bun" in globalThis)) return;
  for (let round = 0; round < 5; round++) {
    const mark = `killed-parent-${process.pid}-${round}`;
    const [file, ...args] = scriptArgv("killed-parent.ts", mark);
    const parent = spawn(file as string, args, { stdio: "ignore" });
    await until(() => parent.signalCode === "SIGKILL");
    await until(() => !processes().some((pid) => commandOf(pid).endsWith(`${mark}\0`) && isAlive(pid)));
  }
});

test("the warden leads a session of its own, holds one pipe and ignores signals", async () => {
  if (!linux) return; // It reads /proc.
  // What the test itself was given without close-on-exec is nobody's fault here.
  const given = filesOf(process.pid);
  const { parent, pids, wardens } = await startParent(2);
  assert.equal(wardens.length, 1);
  const [warden] = wardens as [number];
  assert.equal(statOf(warden)[3], String(warden));
  const files = filesOf(warden).filter((file) => file !== "/dev/null" && !given.includes(file));
  assert.equal(files.length, 1, files.join(" "));
  // Its first command is to ignore them; before that it is a shell like any other.
  await until(() => (ignoredSignals(warden) & 0x4003) === 0x4003);
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.kill(warden, signal);
  process.kill(parent.pid as number, "SIGKILL");
  await until(() => !pids.some(isAlive) && !isAlive(warden));
});

test("a parent whose children ended by themselves ends, and its warden with it", async () => {
  const { parent, pids, wardens, output } = await startParent(2);
  parent.stdin?.write("kill one\n");
  await until(() => output().includes("one is gone"));
  parent.stdin?.end();
  await until(() => parent.exitCode !== null);
  assert.equal(parent.exitCode, 0);
  await until(() => !pids.some(isAlive) && !wardens.some(isAlive));
});

test("runWarden does the same without a shell, and spares a group that was taken off the list", async () => {
  const [file, ...args] = scriptArgv("run-warden.ts");
  const start = () => spawn("/bin/sleep", ["30"], { detached: true, stdio: "ignore" });
  const [guarded, spared] = [start(), start()];
  const warden = spawn(file as string, args, { stdio: ["pipe", "ignore", "inherit"] });
  const text = `+ ${guarded.pid}\n+ ${spared.pid}\n- ${spared.pid}\n`;
  warden.stdin.write(text.slice(0, -3));
  warden.stdin.end(text.slice(-3));
  await until(() => warden.exitCode === 0 && guarded.signalCode === "SIGKILL");
  assert.equal(spared.signalCode, null);
  spared.kill();
});

for (const isReleased of [false, true])
  test(`guardByCommand: the command ${isReleased ? "does not run once it was released" : "runs when the parent is killed"}`, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), "guard-"));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const file = join(folder, "ran");
    const [program, ...args] = scriptArgv("guarding-parent.ts", file);
    const parent = spawn(program as string, args, { stdio: ["pipe", "pipe", "inherit"] });
    let output = "";
    parent.stdout.on("data", (chunk) => {
      output += chunk;
    });
    const guards = () =>
      processes().filter((pid) => commandOf(pid).includes("released=") && commandOf(pid).includes(file));
    await until(() => output.includes("guarded") && (guards().length === 1 || !linux));
    if (isReleased) {
      parent.stdin.write("go\n");
      await until(() => output.includes("released") && !guards().some(isAlive));
    }
    process.kill(parent.pid as number, "SIGKILL");
    await until(() => parent.signalCode === "SIGKILL");
    if (isReleased) assert.equal(existsSync(file), false);
    else await until(() => existsSync(file) && readFileSync(file, "utf8").startsWith("x\n"));
    for (const pid of guards()) process.kill(pid, "SIGKILL");
  });
