/**
 * Puts the code that a start of `serve` loads into as few files of the executable as possible. The bundler makes a file
 * of its own for every set of modules that the same lazily loaded modules share, which was forty for a start. Where
 * every lazily loaded module shares everything with `serve`, it is one.
 */
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { BunPlugin } from "bun";

/** What a start of `serve` comes to. */
const startModules = ["commands/run/serve.ts", "doors/http/listen.ts"];
/** Loaded without `serve`: what they load lazily must stay as small as it is. */
const beforeServe = ["main.ts", "commands/command-line.ts"];
/** Threads that have nothing of the gateway. */
const apart = ["sandbox/program-worker.ts"];

/** @param rootDir the repository */
export function startChunkPlugin(rootDir: string): BunPlugin {
  const src = join(rootDir, "src");
  return {
    name: "start-chunk",
    async setup(build) {
      const modules = await Array.fromAsync(new Bun.Glob("**/*.ts").scan({ cwd: src, absolute: true }));
      const leftAlone = new Set([...startModules, ...apart].map((path) => join(src, path)));
      const lazy = new Set<string>();
      for (const path of modules) {
        const targets = lazyImports(path, await readFile(path, "utf8"));
        if (beforeServe.some((name) => join(src, name) === path)) for (const target of targets) leftAlone.add(target);
        else for (const target of targets) lazy.add(target);
      }
      const imports = startModules.map((path) => `\nimport ${JSON.stringify(join(src, path))};`).join("");
      const filter = new RegExp(
        `(${[...lazy]
          .filter((path) => !leftAlone.has(path))
          .map(RegExp.escape)
          .join("|")})$`,
      );
      build.onLoad({ filter }, async ({ path }) => ({
        contents: (await readFile(path, "utf8")) + imports,
        loader: "ts",
      }));
    },
  };
}

function lazyImports(path: string, text: string): string[] {
  return [...text.matchAll(/(?<!typeof )\bimport\("(\.[^"]+)"\)/g)].map(([, target]) =>
    join(dirname(path), target as string),
  );
}
