/** The npm packages of a release, installed by npm itself from a registry on this machine. */
import assert from "node:assert/strict";
import { execFile, execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { constants, copyFileSync, linkSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { gzipSync } from "node:zlib";
import { writeNpmPackages } from "../../deploy/npm-packages.ts";
import { platforms } from "../../deploy/release-files.ts";
import packageJson from "../../package.json" with { type: "json" };
import { binaryPath, endedWithTests, environmentIn, root } from "./harness.ts";

const { version } = packageJson;
const skip = process.platform === "linux" ? false : "packs with GNU tar";

let folder = "";
let home = "";
let packages = "";
const tarballs = new Map<string, Buffer>();
const asked: string[] = [];

/** As much of a registry as npm needs to install: documents of packages, and their tarballs. */
const registry = createServer((request, response) => {
  const name = decodeURIComponent(request.url?.slice(1) ?? "");
  asked.push(name);
  const tarball = tarballs.get(name.replace(/\.tgz$/, ""));
  if (tarball === undefined) response.writeHead(404).end("{}");
  else if (name.endsWith(".tgz")) response.end(tarball);
  else response.end(JSON.stringify(packument(name, tarball)));
});

function packument(name: string, tarball: Buffer): object {
  const manifest = JSON.parse(readFileSync(join(packages, folderOf(name), "package.json"), "utf8"));
  const integrity = `sha512-${createHash("sha512").update(tarball).digest("base64")}`;
  const dist = { tarball: `${registryUrl()}/${name}.tgz`, integrity };
  return { name, "dist-tags": { latest: version }, versions: { [version]: { ...manifest, dist } } };
}

const registryUrl = () => `http://127.0.0.1:${(registry.address() as AddressInfo).port}`;
const folderOf = (name: string) => name.replace("@mcp-gateway/", "mcp-gateway-");

before(async () => {
  if (skip) return;
  folder = mkdtempSync(join(dirname(binaryPath), ".npm-test-"));
  home = mkdtempSync(join(tmpdir(), "mcp-gateway-npm-"));
  const dist = join(folder, "dist");
  mkdirSync(dist);
  // The executable of this machine stands in for those of all platforms: npm must choose by the manifest.
  for (const { file } of platforms) {
    try {
      linkSync(binaryPath, join(dist, file));
    } catch {
      copyFileSync(binaryPath, join(dist, file), constants.COPYFILE_FICLONE);
    }
  }
  packages = join(folder, "npm");
  await writeNpmPackages({ root, dist, target: packages }, version, new Set(platforms.map(({ file }) => file)));
  const own = platforms.filter(({ os, cpu }) => os === process.platform && cpu === process.arch);
  for (const name of readdirSync(packages)) {
    // Packed small where it must not be installed, so that a wrong choice shows.
    const isOwn = name === "mcp-gateway" || own.some(({ file }) => file === name);
    const manifestOnly = isOwn ? [] : ["--exclude=*/bin/*"];
    const args = ["-C", packages, ...manifestOnly, `--transform=s,^${name},package,`, "-cf", "-", name];
    const tar = execFileSync("tar", args, { maxBuffer: 1 << 30 });
    tarballs.set(
      name === "mcp-gateway" ? name : name.replace("mcp-gateway-", "@mcp-gateway/"),
      gzipSync(tar, { level: 1 }),
    );
  }
  registry.listen(0, "127.0.0.1");
  await once(registry, "listening");
});
after(() => {
  registry.close();
  for (const path of [folder, home]) if (path !== "") rmSync(path, { recursive: true, force: true });
});

function npmEnvironment(): Record<string, string> {
  return {
    ...environmentIn(home),
    npm_config_registry: registryUrl(),
    npm_config_cache: join(home, "cache"),
    npm_config_update_notifier: "false",
    npm_config_audit: "false",
    npm_config_fund: "false",
    npm_config_ignore_scripts: "true",
  };
}

function run(program: string, ...args: string[]): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    execFile(program, args, { cwd: home, env: npmEnvironment() }, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code) : 0, output: stdout + stderr }),
    );
  });
}

test("npm packages: one per platform, chosen by npm, and no scripts", { skip }, () => {
  const launcher = JSON.parse(readFileSync(join(packages, "mcp-gateway", "package.json"), "utf8"));
  assert.equal(launcher.scripts, undefined);
  assert.equal(Object.keys(launcher.optionalDependencies).length, platforms.length);
  for (const [name, wanted] of Object.entries(launcher.optionalDependencies)) {
    const manifest = JSON.parse(readFileSync(join(packages, folderOf(name), "package.json"), "utf8"));
    assert.deepEqual([manifest.name, manifest.version, manifest.scripts], [name, wanted, undefined]);
    const short = `${manifest.os[0]}-${manifest.cpu[0]}${manifest.libc?.[0] === "musl" ? "-musl" : ""}`;
    assert.equal(name, `@mcp-gateway/${short}`, "the launcher asks for it by this name");
    assert.deepEqual(readdirSync(join(packages, folderOf(name), "bin")), [
      manifest.os[0] === "win32" ? "mcp-gateway.exe" : "mcp-gateway",
    ]);
  }
});

test("npx mcp-gateway: runs the executable of this platform, with its exit code", { skip }, async () => {
  const { code, output } = await run("npx", "--yes", "mcp-gateway", "--version");
  assert.deepEqual({ code, output }, { code: 0, output: `${version}\n` });
  const foreign = asked.filter(
    (name) => name.endsWith(".tgz") && !name.includes(`${process.platform}-${process.arch}`),
  );
  assert.deepEqual(foreign, ["mcp-gateway.tgz"], "programs of other platforms are not downloaded");
  assert.equal((await run("npx", "--yes", "mcp-gateway", "--prot", "1")).code, 2);
});

test("npm install: the launcher hands on streams and signals, and says what is missing", { skip }, async () => {
  const installed = await run("npm", "install", "--prefix", join(home, "project"), "mcp-gateway");
  assert.equal(installed.code, 0, installed.output);
  const launcher = join(home, "project", "node_modules", ".bin", "mcp-gateway");
  const child = endedWithTests(
    spawn(launcher, ["serve", "--port", "0"], {
      cwd: home,
      env: npmEnvironment(),
      stdio: ["ignore", "ignore", "pipe"],
    }),
  );
  for await (const chunk of child.stderr.setEncoding("utf8")) if (/is ready/.test(chunk)) break;
  child.kill("SIGTERM");
  assert.deepEqual(await once(child, "exit"), [0, null]);

  rmSync(join(home, "project", "node_modules", "@mcp-gateway"), { recursive: true });
  const bare = await run(launcher, "--version");
  assert.equal(bare.code, 1);
  assert.match(bare.output, /no executable for .*: the package "@mcp-gateway\/.*" is not installed\.\nInstall without/);
});
