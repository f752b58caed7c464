/** Writes generated skills, and shows them to agents where they look for skills. What somebody else made is never touched. */
import { ConfigError } from "../core/errors.ts";
import { isJsonObject } from "../lib/json.ts";
import { readText, resolveLinks } from "../runtime/files.ts";
import { join } from "../runtime/paths.ts";
import { entryKind, linkDirectory, removeDirectory, replaceDirectory } from "../runtime/replace-directory.ts";
import { type Bundle, manifestFile } from "./render-bundle.ts";

/** Of most agents, and of Claude Code; below the project. */
export const agentFolders: readonly string[] = [".agents/skills", ".claude/skills"];

const maxManifestBytes = 1_048_576;

/** @param places folders that are to be ours or not there. @throws ConfigError naming one that is somebody else's */
export async function assertOurs(name: string, places: readonly string[]): Promise<void> {
  for (const path of places)
    if ((await entryKind(path)) !== undefined && !(await isOurs(name, path)))
      throw new ConfigError(`"${path}" exists and was not generated: move it away, or choose another place`);
}

export async function writeBundle(folder: string, { name, files }: Bundle): Promise<void> {
  await replaceDirectory(join(folder, name), files);
}

/** How it got there; `undefined` where a link to it was there before. */
export async function installBundle(written: string, path: string): Promise<"link" | "copy" | undefined> {
  const kind = await entryKind(path);
  if (kind !== undefined) {
    if ((await resolveLinks(path)) === (await resolveLinks(written))) return undefined;
    await removeDirectory(path);
  }
  return linkDirectory(written, path);
}

/** Whether a manifest in it, or in what it is a link to, says that it was generated under this name. */
async function isOurs(name: string, path: string): Promise<boolean> {
  try {
    const manifest: unknown = JSON.parse(await readText(join(path, manifestFile), maxManifestBytes));
    return isJsonObject(manifest) && manifest["name"] === name;
  } catch {
    return false;
  }
}
