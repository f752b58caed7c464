/** The programs that run on this machine, as far as the system tells without asking for rights. */
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

export interface RunningProcess {
  readonly pid: number;
  readonly argv: readonly string[];
}

const maxProcesses = 4_096;
const psTimeoutMs = 2_000;

/** Without this one; empty where the system cannot be asked. Windows is not asked: it tells no arguments without rights. */
export function runningProcesses(): RunningProcess[] {
  const all = process.platform === "linux" ? fromProc() : process.platform === "win32" ? [] : fromPs();
  return all.filter(({ pid, argv }) => pid !== process.pid && argv.length > 0);
}

function fromProc(): RunningProcess[] {
  let names: string[];
  try {
    names = readdirSync("/proc");
  } catch {
    return [];
  }
  const pids = names.filter((name) => /^\d+$/.test(name)).slice(0, maxProcesses);
  return pids.flatMap((pid) => {
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
      return [{ pid: Number(pid), argv: words.slice(0, words.at(-1) === "" ? -1 : undefined) }];
    } catch {
      // It ended, or it is another user's.
      return [];
    }
  });
}

/** `ps` joins the arguments by spaces; that is enough to look for a name and a port. */
function fromPs(): RunningProcess[] {
  const options = { encoding: "utf8", timeout: psTimeoutMs, maxBuffer: 4_194_304 } as const;
  const { stdout } = spawnSync("ps", ["-axo", "pid=,command="], options);
  return (stdout ?? "")
    .split("\n")
    .slice(0, maxProcesses)
    .flatMap((line) => {
      const [, pid, command] = /^\s*(\d+)\s+(.+)$/.exec(line) ?? [];
      return pid === undefined || command === undefined ? [] : [{ pid: Number(pid), argv: command.split(/\s+/) }];
    });
}
