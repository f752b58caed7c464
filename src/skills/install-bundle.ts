/** Writes generated skills, and shows them to agents where they look for skills. What somebody else made is never touched. */
import { ConfigError } from "../core/errors.ts";
import { isJsonObject } from "../lib/json.ts";
import { readText, resolveLinks } from "../runtime/files.ts";
import { join } from "../runtime/paths.ts";
import { isTaken, linkDirectory, linkTarget, removeDirectory, replaceDirectory } from "../runtime/replace-directory.ts";
import { type Bundle, manifestFile } from "./render-bundle.ts";

/** Of most agents, and of Claude Code; below the project. */
export const agentFolders: readonly string[] = [".agents/skills", ".claude/skills"];

const maxManifestBytes = 1_048_576;

/**
 * @param written where the skill itself goes
 * @throws ConfigError when something is at the path that was not generated under this name, nor is a link to it
 */
export async function assertOurs(path: string, name: string, written: string): Promise<void> {
  if ((await isTaken(path)) && (await linkTarget(path)) !== written && !(await isGenerated(path, name)))
    throw new ConfigError(`"${path}" exists and was not generated: move it away, or choose another place`);
}

export async function writeBundle(folder: string, { name, files }: Bundle): Promise<void> {
  await replaceDirectory(join(folder, name), files);
}

/** How it got there; `undefined` where a link to it was there before. */
export async function installBundle(written: string, path: string): Promise<"link" | "copy" | undefined> {
  if ((await resolveLinks(path)) === (await resolveLinks(written))) return undefined;
  if (await isTaken(path)) await removeDirectory(path);
  return linkDirectory(written, path);
}

/** Whether a manifest in it, or in what it is a link to, says so. */
async function isGenerated(path: string, name: string): Promise<boolean> {
  try {
    const manifest: unknown = JSON.parse(await readText(join(path, manifestFile), maxManifestBytes));
    return isJsonObject(manifest) && manifest["name"] === name;
  } catch {
    return false;
  }
}
