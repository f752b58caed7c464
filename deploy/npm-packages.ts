/**
 * The npm packages of a release: `mcp-gateway`, which is a launcher and the library, and one package per platform with
 * the executable. npm installs only the one whose `os`, `cpu` and `libc` fit.
 */
import { chmod, copyFile, link, mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { libraryExports, writeLibrary } from "./library.ts";
import { platforms } from "./release-files.ts";

const common = {
  description: "One binary between AI clients and all their MCP servers and REST APIs",
  license: "MIT",
  repository: { type: "git", url: "git+https://github.com/mcp-gateway/mcp-gateway.git" },
};

/**
 * Writes `TARGET/mcp-gateway` and `TARGET/mcp-gateway-OS-CPU[-musl]`, ready for `npm publish`.
 * @param root the repository
 * @param dist where the executables are; those that are not there get no package
 * @param files names of the executables that are there
 */
export async function writeNpmPackages(
  { root, dist, target }: { root: string; dist: string; target: string },
  version: string,
  files: ReadonlySet<string>,
): Promise<void> {
  await rm(target, { recursive: true, force: true });
  const optionalDependencies: Record<string, string> = {};
  for (const { file, os, cpu, libc } of platforms.filter((platform) => files.has(platform.file))) {
    const short = file.replace("mcp-gateway-", "").replace(".exe", "").replace("windows", "win32");
    const name = `@mcp-gateway/${short}`;
    optionalDependencies[name] = version;
    const folder = join(target, `mcp-gateway-${short}`);
    await writePackage(root, folder, {
      name,
      version,
      ...common,
      os: [os],
      cpu: [cpu],
      ...(libc === undefined ? {} : { libc: [libc] }),
      preferUnplugged: true,
      files: ["bin"],
    });
    await place(join(dist, file), join(folder, "bin", os === "win32" ? "mcp-gateway.exe" : "mcp-gateway"));
  }
  const folder = join(target, "mcp-gateway");
  await writePackage(root, folder, {
    name: "mcp-gateway",
    version,
    ...common,
    bin: { "mcp-gateway": "bin/mcp-gateway.js" },
    exports: { ".": libraryExports },
    engines: { node: ">=18" },
    files: ["bin", "lib"],
    optionalDependencies,
  });
  await copyFile(join(root, "README.md"), join(folder, "README.md"));
  await mkdir(join(folder, "bin"));
  await copyFile(join(root, "deploy", "npm", "mcp-gateway.js"), join(folder, "bin", "mcp-gateway.js"));
  await chmod(join(folder, "bin", "mcp-gateway.js"), 0o755);
  await writeLibrary(root, join(folder, "lib"));
}

async function writePackage(root: string, folder: string, manifest: object): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
  await copyFile(join(root, "LICENSE"), join(folder, "LICENSE"));
}

/** A second name for the same file where that can be: the executables are a hundred megabytes each. */
async function place(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  await link(from, to).catch(() => copyFile(from, to));
}
