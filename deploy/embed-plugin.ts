/** Puts `ui/` and `capabilities/` into the executable, the latter parsed too: a broken built-in capability fails the build. */
import type { BunPlugin } from "bun";
import { readDocument } from "../src/capabilities/load.ts";
import { sourceFiles } from "../src/runtime/embedded.ts";
import type { EmbeddedBundle } from "../src/runtime/embedded-bundle.ts";

/** @param rootDir the repository */
export function embedPlugin(rootDir: string): BunPlugin {
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
        };
        return { contents: `export const embeddedBundle = ${JSON.stringify(bundle)};`, loader: "js" };
      });
    },
  };
}
