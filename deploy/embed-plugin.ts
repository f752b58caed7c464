/**
 * Puts into the executable what would cost time at start: `ui/`, `capabilities/` parsed (a broken built-in capability
 * fails the build), and the outline of the configuration's schemas.
 */
import type { BunPlugin } from "bun";
import { readDocument } from "../src/capabilities/load.ts";
import { configOutline } from "../src/config/config-outline.ts";
import { sourceFiles } from "../src/runtime/embedded.ts";
import type { EmbeddedBundle } from "../src/runtime/embedded-bundle.ts";

/**
 * @param rootDir the repository
 * @param releaseFile what the executable is called in a release
 */
export function embedPlugin(rootDir: string, releaseFile: string): BunPlugin {
  return {
    name: "embed",
    setup(build) {
      build.onLoad({ filter: /[\\/]runtime[\\/]embedded-bundle\.ts$/ }, async () => {
        const capabilities = await sourceFiles(rootDir, "capabilities");
        const bundle: EmbeddedBundle = {
          ui: Object.fromEntries(await sourceFiles(rootDir, "ui")),
          capabilities: Object.fromEntries(capabilities),
          parsedCapabilities: Object.fromEntries(
            await Promise.all(
              Array.from(capabilities, async ([path, text]) => [
                path,
                (await readDocument(`capabilities/${path}`, text)).value,
              ]),
            ),
          ),
          releaseFile,
        };
        return { contents: `export const embeddedBundle = ${JSON.stringify(bundle)};`, loader: "js" };
      });
      build.onLoad({ filter: /[\\/]config[\\/]config-outline\.ts$/ }, () => {
        // As text: parsing JSON takes a fraction of the time of building the same from code that runs once.
        const text = JSON.stringify(JSON.stringify(configOutline));
        return { contents: `export const configOutline = JSON.parse(${text});`, loader: "js" };
      });
    },
  };
}
