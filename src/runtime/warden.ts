/**
 * No child outlives the gateway, not even when the gateway is killed with SIGKILL. A tiny process in a session of its
 * own reads process-group ids from a pipe only the gateway holds; when the pipe ends, for whatever reason, it kills
 * the groups still on its list and exits. 1.7 MB where there is a shell; without one our own binary does it.
 */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { basename } from "node:path";
import { childEnvironment } from "./child-environment.ts";
import { killGroup } from "./kill-group.ts";

/** Set in the environment of our own binary when it is to be the warden: `main` then calls {@link runWarden} and nothing else. */
const wardenVariable = "MCP_GATEWAY_WARDEN";

const shell = "/bin/sh";

// dash knows neither `kill -9 -- -GROUP` nor arrays; `kill -s KILL` and a string do.
const script = `
trap '' INT TERM HUP
groups=' '
while read -r change group; do
  case $change in
    +) groups="$groups$group " ;;
    -) groups="\${groups%% $group *} \${groups#* $group }" ;;
  esac
done
for group in $groups; do kill -s KILL -- "-$group"; done
`;

/** Once more after a while: what was being made when we died may only be there then. */
const endScript = `
trap '' INT TERM HUP
while read -r line; do released=yes; done
[ "$released" ] && exit
"$@"
sleep 5
"$@"
`;

/** Takes a line, and has handed it to the system when it returns where the runtime can: we may be killed in the next moment. */
type Tell = (line: string, isLast?: boolean) => void;

const guarded = new Set<number>();
let warden: Tell | undefined;

/** Puts a process group under guard until the returned function is called, which must happen when the group is gone: its id may be reused. */
export function guardGroup(group: number): () => void {
  guarded.add(group);
  if (warden === undefined) startWarden();
  else warden(`+ ${group}\n`);
  return () => {
    if (guarded.delete(group)) warden?.(`- ${group}\n`);
  };
}

/** Ends the process that guards, unless it has something to guard; the next child gets a new one. */
export function dismissWarden(): void {
  if (guarded.size > 0) return;
  warden?.("", true);
  warden = undefined;
}

/**
 * Has a program run should we die before the returned function is called: for what no signal of ours reaches, such as a
 * container. Only where there is a shell; a server in a container then still sees the end of its input.
 */
export function guardByCommand(argv: readonly string[], env: Readonly<Record<string, string>>): () => void {
  if (!existsSync(shell)) return () => {};
  const forget = () => {
    tell = undefined;
  };
  let tell = startChild({ file: shell, args: ["-c", endScript, "sh", ...argv], env: { ...env } }, forget);
  return () => {
    tell?.("released\n", true);
    forget();
  };
}

function startChild(command: WardenCommand, onGone: () => void): Tell | undefined {
  return "Bun" in globalThis ? startOnBun(command, onGone) : startOnNode(command, onGone);
}

function startWarden(): void {
  const command = wardenCommand();
  if (command === undefined) return;
  // A warden that fails or is killed is replaced when the next child starts; until then nothing is worse than without one.
  const forget = () => {
    if (warden === started) warden = undefined;
  };
  const started = startChild(command, forget);
  warden = started;
  if (guarded.size > 0) started?.([...guarded].map((group) => `+ ${group}\n`).join(""));
}

/** Bun's own `spawn`: what is written through `node:child_process` waits there for the end of the turn. */
function startOnBun({ file, args, env }: WardenCommand, onGone: () => void): Tell | undefined {
  try {
    const child = Bun.spawn([file, ...args], {
      cwd: "/",
      env,
      detached: true,
      stdio: ["pipe", "ignore", "ignore"],
      windowsHide: true,
      onExit: onGone,
    });
    // It waits for us to end, so we must not wait for it.
    child.unref();
    child.stdin.unref();
    return (line, isLast = false) => {
      child.stdin.write(line);
      void child.stdin.flush();
      if (isLast) void child.stdin.end();
    };
  } catch {
    return undefined;
  }
}

function startOnNode({ file, args, env }: WardenCommand, onGone: () => void): Tell {
  const child = spawn(file, args, { cwd: "/", env, detached: true, stdio: ["pipe", "ignore", "ignore"] });
  child.on("error", onGone);
  child.on("exit", onGone);
  child.stdin.on("error", onGone);
  child.unref();
  if ("unref" in child.stdin && typeof child.stdin.unref === "function") child.stdin.unref();
  return (line, isLast = false) => void (isLast ? child.stdin.end(line) : child.stdin.write(line));
}

interface WardenCommand {
  readonly file: string;
  readonly args: string[];
  readonly env: Record<string, string>;
}

function wardenCommand(): WardenCommand | undefined {
  if (existsSync(shell)) return { file: shell, args: ["-c", script], env: {} };
  // Run from source there is no binary of ours, and the runtime's would need the path of main.
  if (/^(bun|deno|node)(\.exe)?$/.test(basename(process.execPath))) return undefined;
  return { file: process.execPath, args: [], env: childEnvironment({ [wardenVariable]: "1" }) };
}

/** The warden itself, in the binary. Returns when set up; the process ends when its input does. */
export function runWarden(): void {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => {});
  const groups = new Set<number>();
  let rest = "";
  process.stdin.setEncoding("utf8");
  process.stdin.on("data", (chunk: string) => {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() as string;
    for (const line of lines) {
      const group = Number(line.slice(2));
      if (line.startsWith("+")) groups.add(group);
      else groups.delete(group);
    }
  });
  process.stdin.on("end", () => {
    for (const group of groups) killGroup(group, "SIGKILL");
    process.exitCode = 0;
    process.stdin.destroy();
  });
}
