/** Where a program is, found as starting it would find it. */
import { accessSync, constants, statSync } from "node:fs";
import { delimiter, isAbsolute, join, resolve } from "node:path";

/** The absolute path; `undefined` when there is none, or it may not be run. Names with a separator begin at `cwd`. */
export function findProgram(command: string, path: string | undefined, cwd: string): string | undefined {
  if (isAbsolute(command) || /[/\\]/.test(command)) return firstRunnable(resolve(cwd, command));
  for (const folder of (path ?? "").split(delimiter)) {
    const found = folder === "" ? undefined : firstRunnable(join(folder, command));
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The program that runs: our own executable, or the runtime that runs the source. */
export function thisProgram(): string {
  return process.execPath;
}

function firstRunnable(path: string): string | undefined {
  const endings = process.platform === "win32" ? ["", ".exe", ".cmd", ".bat", ".com"] : [""];
  return endings.map((ending) => path + ending).find(isRunnable);
}

function isRunnable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
