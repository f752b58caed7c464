/**
 * Builds the executable: `bun deploy/build.ts` for this machine, `--all` a whole release: the executables of every
 * platform, SHA256SUMS, VERSION, install.sh, the Homebrew formula and the npm packages.
 * Bun fetches the runtimes of other platforms from the npm registry; one that cannot be had is named, with the reason.
 */
import { createHash } from "node:crypto";
import { copyFile, mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import packageJson from "../package.json" with { type: "json" };
import { version } from "../src/core/version.ts";
import { embedPlugin } from "./embed-plugin.ts";
import { homebrewFormula } from "./homebrew-formula.ts";
import { writeNpmPackages } from "./npm-packages.ts";
import { platforms } from "./release-files.ts";
import { startChunkPlugin } from "./start-chunk-plugin.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const dist = join(root, "dist");

/** Makes `dist/NAME`: built beside and renamed, so that a program which runs from there is never written into. */
async function build(name: string, releaseFile: string, target?: Bun.Build.CompileTarget): Promise<void> {
  const work = await mkdtemp(join(dist, ".build-"));
  try {
    await compile(join(work, name), releaseFile, target);
    await rename(join(work, name), join(dist, name));
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function compile(outfile: string, releaseFile: string, target?: Bun.Build.CompileTarget): Promise<void> {
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
    plugins: [embedPlugin(root, releaseFile), startChunkPlugin(root)],
  });
  if (!result.success) throw new AggregateError(result.logs, `Cannot build ${basename(outfile)}`);
}

async function buildAll(): Promise<void> {
  // No formula of an earlier build may stay beside other executables.
  await rm(join(dist, "homebrew"), { recursive: true, force: true });
  const built = new Set<string>();
  const missing: string[] = [];
  for (const { target, file } of platforms) {
    try {
      await build(file, file, target as Bun.Build.CompileTarget);
      built.add(file);
    } catch (error) {
      missing.push(`${file}: ${reasonOf(error)}`);
    }
  }
  await writeFile(join(dist, "VERSION"), `${version}\n`);
  await copyFile(join(root, "install.sh"), join(dist, "install.sh"));
  const sums = await writeSums([...built, "VERSION", "install.sh"]);
  await writeNpmPackages({ root, dist, target: join(dist, "npm") }, version, built);
  if (missing.length > 0) {
    console.error(`Could not be built:\n${missing.map((line) => `  ${line}\n`).join("")}`);
    process.exitCode = 1;
    return;
  }
  await mkdir(join(dist, "homebrew"), { recursive: true });
  await writeFile(join(dist, "homebrew", "mcp-gateway.rb"), homebrewFormula(version, sums));
}

/** `mcp-gateway upgrade` and `install.sh` trust nothing that is not listed here. */
async function writeSums(files: readonly string[]): Promise<string> {
  let text = "";
  for (const file of files) {
    const bytes = await readFile(join(dist, file));
    text += `${createHash("sha256").update(bytes).digest("hex")}  ${file}\n`;
  }
  await writeFile(join(dist, "SHA256SUMS"), text);
  console.log(text.trimEnd());
  return text;
}

/** The release file that this machine would download. */
function hostRelease(): string {
  const report = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
  const libc = process.platform !== "linux" ? undefined : report.header.glibcVersionRuntime ? "glibc" : "musl";
  const found = platforms.find((p) => p.os === process.platform && p.cpu === process.arch && p.libc === libc);
  return found?.file ?? `mcp-gateway-${process.platform}-${process.arch}`;
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
    await build(name, hostRelease());
  } catch (error) {
    console.error(`Cannot build dist/${name}: ${reasonOf(error)}`);
    process.exit(1);
  }
  console.log(`Built dist/${name} ${version} for ${process.platform} ${process.arch}`);
}
