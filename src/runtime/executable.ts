/** The executable this program is, and putting another one into its place. */
import { resolveLinks } from "./files.ts";

export interface Executable {
  /** Links followed. */
  readonly path: string;
  /** Name of the release file it is, e.g. `mcp-gateway-linux-x64-musl`. */
  readonly releaseFile: string;
}

/** `undefined` where the program runs from its source. */
export async function thisExecutable(): Promise<Executable | undefined> {
  const { embeddedBundle } = await import("./embedded-bundle.ts");
  if (embeddedBundle === undefined) return undefined;
  return { path: await resolveLinks(process.execPath), releaseFile: embeddedBundle.releaseFile };
}

/** What the program says to `--version`. @throws when it does not run here */
export async function versionOfProgram(path: string): Promise<string> {
  const { execFile } = await import("node:child_process");
  return new Promise((resolve, reject) => {
    execFile(path, ["--version"], { timeout: 20_000, windowsHide: true }, (error, stdout) =>
      error === null ? resolve(stdout.trim()) : reject(error),
    );
  });
}

/**
 * Puts `fresh`, a file of the same directory, into the place of `path`. What was there is kept as `kept`, also while it
 * runs. At every moment there is a whole program at `path`, except on Windows, where it is missing between two renames.
 */
export async function replaceExecutable(path: string, fresh: string, kept: string): Promise<void> {
  const { chmod, copyFile, link, rename, rm, stat } = await import("node:fs/promises");
  await rm(kept, { force: true });
  if (process.platform === "win32") {
    // A program that runs cannot be overwritten there, but it can be renamed.
    await rename(path, kept);
    await rename(fresh, path).catch(async (error: unknown) => {
      await rename(kept, path);
      throw error;
    });
    return;
  }
  await chmod(fresh, (await stat(path)).mode & 0o7777);
  await link(path, kept).catch(() => copyFile(path, kept));
  await rename(fresh, path);
}
