/**
 * A child process as a pair of byte streams, bounded in both directions. Arguments go to the program as they are:
 * no shell ever reads them (T12). The child leads a process group of its own, so that it can be stopped together
 * with what it starts, and that group is guarded against our own sudden death.
 */
import { Buffer } from "node:buffer";
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, isAbsolute, resolve } from "node:path";
import { clearImmediate, clearTimeout, setImmediate, setTimeout } from "node:timers";
import { killGroup } from "./kill-group.ts";
import { guardByCommand, guardGroup } from "./warden.ts";
import { windowsProgram } from "./windows-program.ts";

export interface SpawnOptions {
  /** Program and arguments. */
  readonly argv: readonly string[];
  /** The whole environment; nothing is inherited. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string | undefined;
  /** Program and arguments that end what lives on outside the child's group; run when the child has ended, however. */
  readonly endArgv?: readonly string[] | undefined;
  /** Bytes that may wait for the child to read them. */
  readonly maxWaitingBytes: number;
  /** Time in which the child must take something, while something waits. */
  readonly writeStallMs: number;
  onStdout(chunk: Uint8Array): void;
  onStderr(chunk: Uint8Array): void;
  /** The child does not read its input: one of the two limits was passed. Called once; what was not taken is dropped. */
  onStalled(waitingBytes: number): void;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: string | null;
}

export interface Child {
  readonly pid: number;
  /** Queues text for the child's input. What is written in one turn of the event loop goes out as two writes at most. */
  write(text: string): void;
  endInput(): void;
  killGroup(signal: "SIGTERM" | "SIGKILL"): void;
  /** Resolves when the child has ended, its output has been handed over, and nothing of its group is left. */
  readonly exited: Promise<Exit>;
  /** Resolves after that, when what `endArgv` is for has been ended as well, or could not be. */
  readonly gone: Promise<void>;
}

/** The program could not be run at all; `hint` says what to do. */
export class SpawnError extends Error {
  readonly hint: string | undefined;

  constructor(message: string, hint: string | undefined, cause: unknown) {
    super(message, { cause });
    this.name = "SpawnError";
    this.hint = hint;
  }
}

/** How long output may still come after the exit: only a process that left the group can hold the pipes open that long. */
const drainMs = 100;
/** A daemon that hangs must not keep us from ending. */
const endOutsideMs = 10_000;

/** @throws SpawnError */
export async function spawnChild(options: SpawnOptions): Promise<Child> {
  const [file, ...args] = windowsProgram(options.argv, options.env);
  // Before there is anything to end.
  const releaseOutside = options.endArgv === undefined ? () => {} : guardByCommand(options.endArgv, options.env);
  const { child, release } = await launched(file as string, args, options).catch((error: unknown) => {
    releaseOutside();
    throw error;
  });
  const pid = child.pid as number;
  child.stdout.on("data", options.onStdout);
  child.stderr.on("data", options.onStderr);
  const input = createInput(child, options);

  const exited = new Promise<Exit>((resolve) => {
    child.once("exit", (code, signal) => {
      // What it started is worth nothing without it, and would hold our pipes open. (Windows has forgotten the tree by now.)
      if (process.platform !== "win32") killGroup(pid, "SIGKILL");
      release();
      input.drop();
      const end = () => {
        clearTimeout(timer);
        for (const stream of [child.stdout, child.stderr, child.stdin]) stream.destroy();
        resolve({ code, signal });
      };
      const timer = setTimeout(end, drainMs);
      child.once("close", end);
    });
  });
  const gone = exited.then(() => endOutside(options)).then(releaseOutside);
  return {
    pid,
    write: input.write,
    endInput: input.end,
    killGroup: (signal) => {
      if (child.exitCode === null && child.signalCode === null) killGroup(pid, signal);
    },
    exited,
    gone,
  };
}

/** Resolves when what lives on elsewhere has been ended, could not be, or takes too long. */
function endOutside({ endArgv, env }: SpawnOptions): Promise<void> {
  if (endArgv === undefined) return Promise.resolve();
  const [file, ...args] = windowsProgram(endArgv, env);
  return new Promise((resolve) => {
    const options = { env, stdio: "ignore", windowsHide: true, timeout: endOutsideMs } as const;
    const ender = spawn(file as string, args, options);
    ender.on("error", () => resolve());
    ender.on("exit", () => resolve());
  });
}

interface Launched {
  readonly child: ChildProcessWithoutNullStreams;
  /** Ends the guard over its group. */
  release(): void;
}

function launched(file: string, args: string[], options: SpawnOptions): Promise<Launched> {
  return new Promise((resolve, reject) => {
    const fail = (error: unknown) => reject(explained(error as NodeJS.ErrnoException, options));
    try {
      const child = spawn(file, args, {
        env: options.env,
        ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
        // On Windows this would open a console window, and there are no groups.
        detached: process.platform !== "win32",
        stdio: ["pipe", "pipe", "pipe"],
        windowsHide: true,
      });
      // At once, not when it is known to run: until then nothing would end it if we were killed.
      const release = child.pid === undefined ? () => {} : guardGroup(child.pid);
      // Later errors (a failed kill) change nothing: the exit is what counts.
      child.on("error", fail);
      child.stdin.on("error", () => {});
      child.stdout.on("error", () => {});
      child.stderr.on("error", () => {});
      child.once("spawn", () => resolve({ child, release }));
    } catch (error) {
      fail(error);
    }
  });
}

/**
 * Counts bytes by the callback of each write: the one sign of progress that Bun, Deno and Node all give
 * (oven-sh/bun#29341). The first message of a turn goes out at once, so that the child works while we finish ours.
 */
function createInput(child: ChildProcessWithoutNullStreams, options: SpawnOptions) {
  let queue: string[] = [];
  let waitingBytes = 0;
  let progressAtMs = 0;
  let scheduled: NodeJS.Immediate | undefined;
  /** Runs on when nothing waits any more, because a timer for every message costs more than the message. */
  let watch: NodeJS.Timeout | undefined;
  let open = true;

  const drop = () => {
    open = false;
    queue = [];
    clearImmediate(scheduled);
    clearTimeout(watch);
  };
  const stalled = () => {
    if (!open) return;
    const bytes = waitingBytes;
    drop();
    options.onStalled(bytes);
  };
  const look = () => {
    watch = undefined;
    const restMs = progressAtMs + options.writeStallMs - performance.now();
    if (waitingBytes > 0 && restMs <= 0) stalled();
    else if (waitingBytes > 0) watch = setTimeout(look, restMs);
  };
  const send = (text: string) => {
    const bytes = Buffer.byteLength(text);
    if (waitingBytes === 0) progressAtMs = performance.now();
    waitingBytes += bytes;
    if (waitingBytes > options.maxWaitingBytes) return stalled();
    watch ??= setTimeout(look, options.writeStallMs);
    child.stdin.write(text, () => {
      waitingBytes -= bytes;
      progressAtMs = performance.now();
    });
  };
  const flush = () => {
    scheduled = undefined;
    if (queue.length === 0) return;
    const texts = queue;
    queue = [];
    send(texts.length === 1 ? (texts[0] as string) : texts.join(""));
  };
  return {
    write: (text: string) => {
      if (!open) return;
      if (scheduled !== undefined) {
        queue.push(text);
        return;
      }
      scheduled = setImmediate(flush);
      send(text);
    },
    end: () => {
      if (!open) return;
      if (scheduled !== undefined) {
        clearImmediate(scheduled);
        flush();
      }
      open = false;
      clearTimeout(watch);
      child.stdin.end();
    },
    drop,
  };
}

function pathHint(command: string): string {
  return isAbsolute(command)
    ? 'Correct the path in "command"'
    : 'Relative paths in "command" begin at "cwd" of the backend, or where the gateway was started';
}

function explained(error: NodeJS.ErrnoException, { argv, cwd, env }: SpawnOptions): SpawnError {
  const command = argv[0] as string;
  if (cwd !== undefined && !existsSync(cwd))
    return new SpawnError(
      `Cannot start "${command}": its working directory "${cwd}" does not exist`,
      'Correct "cwd"',
      error,
    );
  if (error.code === "ENOENT") {
    if (command.includes("/") || command.includes("\\")) {
      const path = resolve(cwd ?? "", command);
      const what = existsSync(path) ? "the interpreter its first line names" : `the file "${path}"`;
      return new SpawnError(`Cannot start "${command}": ${what} does not exist`, pathHint(command), error);
    }
    const path = (env["PATH"] ?? "").split(delimiter).join(", ");
    return new SpawnError(
      `Cannot start "${command}": no program of that name in PATH`,
      `Install it or give its full path; PATH is ${path === "" ? "empty" : path}`,
      error,
    );
  }
  if (error.code === "EACCES")
    return new SpawnError(`Cannot start "${command}": it is not executable`, `Try chmod +x ${command}`, error);
  const batch = /\.(cmd|bat)$/i.test(command);
  const hint = batch ? "A batch file needs a shell, which is never used: name the program it starts" : undefined;
  return new SpawnError(`Cannot start "${command}": ${error.message}`, hint, error);
}
