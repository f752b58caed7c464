/** Directories that a program writes as a whole, and links to them. */
import { basename, dirname, join, relative, resolve } from "./paths.ts";

const fs = () => import("node:fs/promises");

/**
 * Makes the directory hold exactly these files: written beside it first, then put in its place, so that a failure leaves
 * what was there. @param files texts by path below the directory, with `/`
 */
export async function replaceDirectory(path: string, files: ReadonlyMap<string, string>): Promise<void> {
  const { mkdir, rename, rm, writeFile } = await fs();
  const temporary = join(dirname(path), `.${basename(path)}.${crypto.randomUUID()}.tmp`);
  const before = `${temporary}.old`;
  try {
    await mkdir(temporary, { recursive: true });
    for (const [file, text] of files) {
      const target = join(temporary, ...file.split("/"));
      await mkdir(dirname(target), { recursive: true });
      await writeFile(target, text);
    }
    const wasThere = await rename(path, before).then(
      () => true,
      () => false,
    );
    await rename(temporary, path).catch(async (error: unknown) => {
      if (wasThere) await rename(before, path);
      throw error;
    });
  } finally {
    await rm(temporary, { recursive: true, force: true });
    await rm(before, { recursive: true, force: true });
  }
}

/** Removes a link, or a directory and all that is in it. */
export async function removeDirectory(path: string): Promise<void> {
  const { lstat, rm, unlink } = await fs();
  if ((await lstat(path)).isSymbolicLink()) await unlink(path);
  else await rm(path, { recursive: true });
}

/**
 * Makes a relative link to the directory, or a copy of it where the system makes no links.
 * @throws the system's error when neither can be
 */
export async function linkDirectory(target: string, path: string): Promise<"link" | "copy"> {
  const { cp, mkdir, realpath, symlink } = await fs();
  await mkdir(dirname(path), { recursive: true });
  try {
    // From where the link really is: a folder on its way may be a link itself.
    await symlink(relative(await realpath(dirname(path)), await realpath(target)), path, "dir");
    return "link";
  } catch {
    await cp(target, path, { recursive: true, errorOnExist: true, force: false });
    return "copy";
  }
}

/** Whether anything is at the path itself, be it a link that leads nowhere. */
export async function isTaken(path: string): Promise<boolean> {
  return (await (await fs()).lstat(path).catch(() => undefined)) !== undefined;
}

/** The absolute path that a link names, whether or not anything is there; `undefined` for what is no link. */
export async function linkTarget(path: string): Promise<string | undefined> {
  const { readlink, realpath } = await fs();
  const target = await readlink(path).catch(() => undefined);
  return target === undefined ? undefined : resolve(await realpath(dirname(path)), target);
}
