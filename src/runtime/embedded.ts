/**
 * Files that belong to the program: `ui/` and `capabilities/`. The Bun executable carries them inside itself; run from
 * source, or compiled by Deno with `--include`, they are read from their folders.
 */
import { readText } from "./files.ts";
import { join, relative } from "./paths.ts";
import { filesBelow } from "./watch.ts";

export const capabilityExtensions: readonly string[] = [".yaml", ".yml"];
const extensions = { ui: [".html", ".css", ".js", ".svg"], capabilities: capabilityExtensions } as const;
export type EmbeddedFolder = keyof typeof extensions;

/** Texts by path relative to the folder, with `/` on every system. */
export async function embeddedFiles(folder: EmbeddedFolder): Promise<ReadonlyMap<string, string>> {
  const { embeddedBundle } = await import("./embedded-bundle.ts");
  if (embeddedBundle !== undefined) return new Map(Object.entries(embeddedBundle[folder]));
  const { fileURLToPath } = await import("node:url");
  return sourceFiles(fileURLToPath(new URL("../..", import.meta.url)), folder);
}

/** What the build embeds. @param rootDir the repository */
export async function sourceFiles(rootDir: string, folder: EmbeddedFolder): Promise<Map<string, string>> {
  const root = join(rootDir, folder);
  const texts = new Map<string, string>();
  for (const path of await filesBelow(root, extensions[folder]))
    texts.set(relative(root, path).replaceAll("\\", "/"), await readText(path));
  return texts;
}
