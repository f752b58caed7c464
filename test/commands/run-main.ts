/** Runs the program from source, with the runtime that runs the test. */
import { spawn } from "node:child_process";
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { scriptArgv } from "../fixtures/script-argv.ts";

export interface Outcome {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export interface House {
  /** Working directory and home of what is run. */
  readonly folder: string;
  run(...args: string[]): Promise<Outcome>;
}

export function house(t: TestContext, variables: Readonly<Record<string, string>> = {}): House {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "gateway-commands-")));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const { PATH = "", DENO_DIR, TMPDIR } = process.env;
  // Deno keeps its compiled sources below HOME unless told otherwise.
  const denoDir = DENO_DIR ?? join(tmpdir(), "gateway-test-deno");
  const env = { PATH, HOME: folder, DENO_DIR: denoDir, ...(TMPDIR && { TMPDIR }), ...variables };
  return { folder, run: (...args) => runProgram(folder, env, args) };
}

function runProgram(cwd: string, env: Record<string, string>, args: string[]): Promise<Outcome> {
  const [program, ...rest] = scriptArgv("../../src/main.ts", ...args) as [string, ...string[]];
  return new Promise((resolve, reject) => {
    const child = spawn(program, rest, { cwd, env, stdio: ["ignore", "pipe", "pipe"], timeout: 30_000 });
    let out = "";
    let err = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (out += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (err += text));
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, out, err }));
  });
}
