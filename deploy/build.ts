/**
 * Builds the executable: `bun deploy/build.ts` for this machine, `--all` for every platform.
 * Bun fetches the runtimes of other platforms from the npm registry; one that cannot be had is named, with the reason.
 */
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import packageJson from "../package.json" with { type: "json" };
import { version } from "../src/core/version.ts";
import { embedPlugin } from "./embed-plugin.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const dist = join(root, "dist");

/** Bun's target → name of the release file. */
const releases = {
  "bun-linux-x64": "mcp-gateway-linux-x64",
  "bun-linux-arm64": "mcp-gateway-linux-arm64",
  "bun-linux-x64-musl": "mcp-gateway-linux-x64-musl",
  "bun-linux-arm64-musl": "mcp-gateway-linux-arm64-musl",
  "bun-darwin-x64": "mcp-gateway-darwin-x64",
  "bun-darwin-arm64": "mcp-gateway-darwin-arm64",
  "bun-windows-x64": "mcp-gateway-windows-x64.exe",
} as const;

/** Makes `dist/NAME`: built beside and renamed, so that a program which runs from there is never written into. */
async function build(name: string, target?: Bun.Build.CompileTarget): Promise<void> {
  const work = await mkdtemp(join(dist, ".build-"));
  try {
    await compile(join(work, name), target);
    await rename(join(work, name), join(dist, name));
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function compile(outfile: string, target?: Bun.Build.CompileTarget): Promise<void> {
  const result = await Bun.build({
    // A thread starts with a file of its own, which stands beside the others under its own name.
    entrypoints: [join(root, "src", "main.ts"), join(root, "src", "sandbox", "program-worker.ts")],
    naming: { entry: "[name].[ext]" },
    compile: {
      outfile,
      ...(target === undefined ? {} : { target }),
      // A gateway must not pick up settings from whatever folder it is started in.
      autoloadDotenv: false,
      autoloadBunfig: false,
    },
    minify: true,
    bytecode: true,
    // Without splitting, the code behind a lazy import() would still be loaded at start.
    splitting: true,
    format: "esm",
    plugins: [embedPlugin(root)],
  });
  if (!result.success) throw new AggregateError(result.logs, `Cannot build ${basename(outfile)}`);
}

async function buildAll(): Promise<void> {
  const sums: string[] = [];
  const missing: string[] = [];
  for (const [target, file] of Object.entries(releases)) {
    try {
      await build(file, target as Bun.Build.CompileTarget);
    } catch (error) {
      missing.push(`${file}: ${reasonOf(error)}`);
      continue;
    }
    const sum = createHash("sha256")
      .update(await readFile(join(dist, file)))
      .digest("hex");
    sums.push(`${sum}  ${file}\n`);
    console.log(`${sum}  dist/${file}`);
  }
  await writeFile(join(dist, "SHA256SUMS"), sums.join(""));
  if (missing.length === 0) return;
  console.error(`Could not be built:\n${missing.map((line) => `  ${line}\n`).join("")}`);
  process.exitCode = 1;
}

function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return error.errors.map(String).join("; ");
  return error instanceof Error ? error.message : String(error);
}

if (version !== packageJson.version) {
  console.error(
    `src/core/version.ts says "${version}" but package.json says "${packageJson.version}": make them equal`,
  );
  process.exit(1);
}
await mkdir(dist, { recursive: true });
if (process.argv.includes("--all")) {
  await buildAll();
} else {
  const name = process.platform === "win32" ? "mcp-gateway.exe" : "mcp-gateway";
  try {
    await build(name);
  } catch (error) {
    console.error(`Cannot build dist/${name}: ${reasonOf(error)}`);
    process.exit(1);
  }
  console.log(`Built dist/${name} ${version} for ${process.platform} ${process.arch}`);
}
