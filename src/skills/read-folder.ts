/**
 * A skill's folder on disk: `SKILL.md` and the texts an agent may be sent to. Links are not followed, so that nothing from
 * outside the folder gets into a skill; what is left out is told.
 */
import { ConfigError } from "../core/errors.ts";
import { FileTooLargeError, isMissing, listDirectory, readText } from "../runtime/files.ts";
import { join } from "../runtime/paths.ts";
import { maxFileBytes, maxFiles, maxSkillBytes } from "./limits.ts";
import { skillFile } from "./skill.ts";

/** Beside `SKILL.md` itself: documents next to it, and everything in the folders of the specification and of older skills. */
const documents = /\.(?:md|txt)$/i;
const folders: ReadonlySet<string> = new Set(["references", "scripts", "assets", "resources"]);
const maxDepth = 8;

export interface SkillFolder {
  /** Texts by path below the folder, `SKILL.md` apart. */
  readonly others: ReadonlyMap<string, string>;
  readonly text: string;
  /** One line for each file that is not taken, with the reason. */
  readonly leftOut: readonly string[];
}

/** @throws ConfigError when it is no skill, is too large, or has links in it */
export async function readSkillFolder(folder: string, label: string): Promise<SkillFolder> {
  const paths = await skillPaths(folder, label);
  const others = new Map<string, string>();
  const leftOut: string[] = [];
  const text = await readSkillFile(join(folder, skillFile), `${label}/${skillFile}`);
  let bytes = Buffer.byteLength(text);
  for (const path of paths) {
    const content = await readText(join(folder, path), maxFileBytes).catch((error: unknown) => whyLeftOut(error));
    if (typeof content !== "string") {
      leftOut.push(`${path} (${content.why})`);
      continue;
    }
    others.set(path, content);
    bytes += Buffer.byteLength(content);
    if (bytes > maxSkillBytes) throw new ConfigError(`"${label}" holds more than ${maxSkillBytes} bytes of text`);
  }
  return { text, others, leftOut };
}

/** @param path of a `SKILL.md`, whatever it is called. @throws ConfigError */
export async function readSkillFile(path: string, label: string): Promise<string> {
  try {
    return await readText(path, maxFileBytes);
  } catch (error) {
    if (isMissing(error)) throw new ConfigError(`"${label}" does not exist`);
    if (error instanceof FileTooLargeError) throw new ConfigError(`"${label}" is larger than ${maxFileBytes} bytes`);
    throw new ConfigError(`"${label}" cannot be read: ${error instanceof TypeError ? "it is no UTF-8 text" : error}`);
  }
}

function whyLeftOut(error: unknown): { readonly why: string } {
  if (error instanceof FileTooLargeError) return { why: `larger than ${maxFileBytes} bytes` };
  if (error instanceof TypeError) return { why: "not text" };
  throw error;
}

async function skillPaths(folder: string, label: string): Promise<string[]> {
  const found: string[] = [];
  async function look(below: string, depth: number): Promise<void> {
    for (const { name, kind } of await listDirectory(join(folder, below))) {
      const isTop = below === "";
      const path = isTop ? name : `${below}/${name}`;
      if (name.startsWith(".") || (isTop && !folders.has(name) && !documents.test(name))) continue;
      if (kind === "link") throw new ConfigError(`"${label}/${path}" is a link: copy what it leads to into the skill`);
      // Reading a pipe would wait for whoever writes into it.
      if (path === skillFile && kind !== "file") throw new ConfigError(`"${label}/${path}" is no file`);
      if (kind === "file" && path !== skillFile) found.push(path);
      if (found.length >= maxFiles) throw new ConfigError(`"${label}" has more than ${maxFiles} files`);
      if (kind !== "directory" || (isTop && !folders.has(name))) continue;
      if (depth === maxDepth) throw new ConfigError(`"${label}/${path}" is nested deeper than ${maxDepth} folders`);
      await look(path, depth + 1);
    }
  }
  await look("", 0);
  return found;
}
