/** Runs a program to its end: bounded output, no shell, and nothing of it left when the call is over, however it ends. */
import { ByteCollector } from "../lib/byte-collector.ts";
import { childEnvironment } from "../runtime/child-environment.ts";
import type { Environment } from "../runtime/process.ts";
import { type Child, type Exit, SpawnError, spawnChild } from "../runtime/spawn.ts";
import { Refusal } from "./refusal.ts";

const maxErrorBytes = 8_192;
/** What it may take for a program to end itself when told to. */
const graceMs = 1_000;

export interface ProgramOptions {
  readonly argv: readonly string[];
  /** Besides PATH, HOME, TMPDIR and LANG, which it also overrides. */
  readonly env: Environment;
  readonly cwd?: string | undefined;
  readonly stdin?: string | undefined;
  /** More output than this ends the program. */
  readonly maxBytes: number;
  readonly signal: AbortSignal;
}

export interface ProgramResult {
  readonly exit: Exit;
  readonly stdout: Uint8Array;
  /** The last part of it. */
  readonly stderr: string;
}

/** @throws Refusal when it cannot be started or writes too much, or the signal's reason once nothing of it is left */
export async function runProgram({ argv, env, cwd, stdin, maxBytes, signal }: ProgramOptions): Promise<ProgramResult> {
  const stdout = new ByteCollector();
  let stderr = new Uint8Array(0);
  let child: Child | undefined;
  let stopped: unknown;
  const stop = (reason: unknown) => {
    if (stopped !== undefined) return;
    stopped = reason;
    child?.killGroup("SIGTERM");
    timer = setTimeout(() => child?.killGroup("SIGKILL"), graceMs);
  };
  let timer: ReturnType<typeof setTimeout> | undefined;
  const given = Object.fromEntries(
    Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
  try {
    child = await spawnChild({
      argv,
      env: childEnvironment(given),
      cwd,
      maxWaitingBytes: Number.POSITIVE_INFINITY,
      writeStallMs: 2 ** 31 - 1,
      onStdout(chunk) {
        if (stdout.byteLength <= maxBytes) stdout.append(chunk.slice());
        if (stdout.byteLength > maxBytes)
          stop(new Refusal(`"${argv[0]}" wrote more than ${maxBytes} bytes`, "Ask for less at once"));
      },
      onStderr(chunk) {
        stderr = new Uint8Array(Buffer.concat([stderr, chunk]).subarray(-maxErrorBytes));
      },
      onStalled() {},
    });
  } catch (error) {
    if (!(error instanceof SpawnError)) throw error;
    throw new Refusal(error.message, error.hint, { outcome: "unsent" });
  }
  const onAbort = () => stop(signal.reason);
  if (signal.aborted) onAbort();
  else signal.addEventListener("abort", onAbort, { once: true });
  if (stdin !== undefined) child.write(stdin);
  child.endInput();
  const exit = await child.exited;
  clearTimeout(timer);
  signal.removeEventListener("abort", onAbort);
  if (stopped !== undefined) throw stopped;
  return { exit, stdout: stdout.take(), stderr: new TextDecoder().decode(stderr) };
}
