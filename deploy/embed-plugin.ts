/**
 * Puts into the executable what would cost time at start: `ui/`, `capabilities/` checked and taken apart (a built-in
 * capability with an error or a warning fails the build), and the outline of the configuration's schemas.
 */
import type { BunPlugin } from "bun";
import { loadCapability, readDocument } from "../src/capabilities/load.ts";
import { configOutline } from "../src/config/config-outline.ts";
import { sourceFiles } from "../src/runtime/embedded.ts";
import type { EmbeddedBundle } from "../src/runtime/embedded-bundle.ts";
import type { EmbeddedCapabilities } from "../src/runtime/embedded-capabilities.ts";

/**
 * @param rootDir the repository
 * @param releaseFile what the executable is called in a release
 */
export function embedPlugin(rootDir: string, releaseFile: string): BunPlugin {
  return {
    name: "embed",
    setup(build) {
      build.onLoad({ filter: /[\\/]runtime[\\/]embedded-bundle\.ts$/ }, async () => {
        const bundle: EmbeddedBundle = {
          ui: Object.fromEntries(await sourceFiles(rootDir, "ui")),
          capabilities: Object.fromEntries(await sourceFiles(rootDir, "capabilities")),
          releaseFile,
        };
        return { contents: `export const embeddedBundle = ${JSON.stringify(bundle)};`, loader: "js" };
      });
      build.onLoad({ filter: /[\\/]runtime[\\/]embedded-capabilities\.ts$/ }, async () => {
        const capabilities = await embeddedCapabilities(rootDir);
        return { contents: `export const embeddedCapabilities = ${JSON.stringify(capabilities)};`, loader: "js" };
      });
      build.onLoad({ filter: /[\\/]config[\\/]config-outline\.ts$/ }, () => {
        const { entries, ...rest } = configOutline;
        const texts = Object.entries(entries).map(([key, entry]) => [key, JSON.stringify(entry)]);
        // As text, which is parsed for the sections a file has; most have few.
        const contents = `
          const texts = ${JSON.stringify(Object.fromEntries(texts))};
          const entries = {};
          for (const key in texts) Object.defineProperty(entries, key, { get: () => JSON.parse(texts[key]) });
          export const configOutline = { ...JSON.parse(${JSON.stringify(JSON.stringify(rest))}), entries };`;
        return { contents, loader: "js" };
      });
    },
  };
}

/** @throws Error naming the file, the place and what is wrong with it */
async function embeddedCapabilities(rootDir: string): Promise<EmbeddedCapabilities> {
  const index: unknown[] = [];
  const definitions: Record<string, string> = {};
  for (const [path, text] of await sourceFiles(rootDir, "capabilities")) {
    const { capability, webhooks, warnings } = await loadCapability({
      path: `capabilities/${path}`,
      content: { text },
    });
    // What is read from the index has no place for webhooks.
    if (capability === undefined || webhooks.length > 0 || warnings.length > 0)
      throw new Error([`capabilities/${path} cannot be built in`, ...warnings].join("\n"));
    const { name, category, tool, requirements, projection } = capability;
    index.push({ path, listed: { name, category, tool, requirements, projection } });
    definitions[path] = JSON.stringify((await readDocument(path, text)).value);
  }
  return { index: JSON.stringify(index), definitions };
}
