/** Who may read and write a path. */
import { access, chmod, constants, mkdir, stat } from "node:fs/promises";
import { dirname } from "./paths.ts";

/** Whether others than the owner may read it; always `false` on Windows, whose rights are of another kind. */
export async function isOpenToOthers(path: string): Promise<boolean> {
  if (process.platform === "win32") return false;
  const found = await stat(path).catch(() => undefined);
  return found !== undefined && (found.mode & 0o044) !== 0;
}

/** For the owner alone. @throws the system's error */
export async function closeToOthers(path: string): Promise<void> {
  const { mode } = await stat(path);
  await chmod(path, mode & 0o700);
}

/** `absent` also says that it could be made. */
export async function folderState(path: string): Promise<"writable" | "read-only" | "absent" | "not a folder"> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) {
    const parent = dirname(path);
    if (parent === path) return "read-only";
    const above = await folderState(parent);
    return above === "writable" || above === "absent" ? "absent" : above;
  }
  if (!found.isDirectory()) return "not a folder";
  const allowed = access(path, constants.W_OK | constants.X_OK | constants.R_OK);
  return allowed.then(
    () => "writable",
    () => "read-only",
  );
}

/** Makes the folder ours to write in. @throws the system's error */
export async function openFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  const { mode } = await stat(path);
  await chmod(path, (mode & 0o7777) | 0o700);
}
