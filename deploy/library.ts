/**
 * The gateway as a library for Bun and Deno: JavaScript with all that it needs inside, because Deno takes no TypeScript
 * from npm, and because who wants the program alone is not to install what the library is made of.
 */
import { execFile } from "node:child_process";
import { copyFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { BunPlugin } from "bun";
import { embedPlugin } from "./embed-plugin.ts";

const run = promisify(execFile);

/** What `package.json` says of it, with paths below the package. */
export const libraryExports = { types: "./lib/create-gateway.d.ts", default: "./lib/create-gateway.js" };

/** @param root the repository */
export async function writeLibrary(root: string, target: string): Promise<void> {
  const result = await Bun.build({
    entrypoints: [join(root, "src", "embed", "create-gateway.ts"), join(root, "src", "sandbox", "program-worker.ts")],
    outdir: target,
    naming: { entry: "[name].[ext]", chunk: "chunk-[hash].[ext]" },
    // Neither runtime is asked for: what is theirs is looked for when it is needed.
    target: "node",
    format: "esm",
    splitting: true,
    minify: { whitespace: true, syntax: true },
    plugins: [embedPlugin(root, ""), workerPlugin],
  });
  if (!result.success) throw new AggregateError(result.logs, "Cannot build the library");
  // The launcher beside it is CommonJS.
  await writeFile(join(target, "package.json"), '{ "type": "module" }\n');
  await writeDeclaration(root, join(target, "create-gateway.d.ts"));
}

/** A thread starts with a file, which has another name here. */
const workerPlugin: BunPlugin = {
  name: "worker",
  setup(build) {
    build.onLoad({ filter: /[\\/]sandbox[\\/]run-program\.ts$/ }, async ({ path }) => ({
      contents: (await readFile(path, "utf8")).replace('"./program-worker.ts"', '"./program-worker.js"'),
      loader: "ts",
    }));
  },
};

async function writeDeclaration(root: string, target: string): Promise<void> {
  const work = await mkdtemp(join(tmpdir(), "mcp-gateway-types-"));
  try {
    const config = {
      extends: join(root, "tsconfig.json"),
      compilerOptions: {
        noEmit: false,
        declaration: true,
        emitDeclarationOnly: true,
        outDir: join(work, "types"),
        rootDir: join(root, "src"),
        typeRoots: [join(root, "node_modules", "@types")],
      },
      include: [join(root, "src", "embed", "create-gateway.ts")],
    };
    const project = join(work, "tsconfig.json");
    await writeFile(project, JSON.stringify(config));
    await run(process.execPath, [join(root, "node_modules", "typescript", "bin", "tsc"), "-p", project]);
    await copyFile(join(work, "types", "embed", "create-gateway.d.ts"), target);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
