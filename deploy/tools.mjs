/**
 * What a clean clone needs before anything else can run: the dependencies, and the binaries of Bun and Deno.
 * Plain JavaScript for Node 20, because it runs before there is a TypeScript runtime. Works with package install
 * scripts blocked: the binaries are looked up inside their platform packages.
 */
import { spawn, spawnSync } from "node:child_process";
import { accessSync, chmodSync, constants, existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("..", import.meta.url));
export const binaryPath = join(root, "dist", process.platform === "win32" ? "mcp-gateway.exe" : "mcp-gateway");

/** Runs `npm ci` unless `node_modules` already holds what the lockfile says. Exits the process when that fails. */
export function ensureInstalled() {
  if (isInstalled()) return;
  console.error("Installing dependencies (npm ci) …");
  // Bun and Deno are dev dependencies and their binaries are optional ones: neither may be left out by configuration.
  const args = ["ci", "--include=dev", "--include=optional", "--no-audit", "--no-fund"];
  const npmScript = process.env.npm_execpath;
  const underNpm = npmScript?.endsWith("npm-cli.js");
  const result = underNpm
    ? spawnSync(process.execPath, [npmScript, ...args], { cwd: root, stdio: ["ignore", "inherit", "inherit"] })
    : spawnSync("npm", args, {
        cwd: root,
        stdio: ["ignore", "inherit", "inherit"],
        shell: process.platform === "win32",
      });
  if (result.status === 0) return;
  console.error(`Cannot install the dependencies: npm ci ${result.error?.message ?? `exited with ${result.status}`}`);
  process.exit(1);
}

function isInstalled() {
  const wanted = readLock(join(root, "package-lock.json"));
  const present = readLock(join(root, "node_modules", ".package-lock.json"));
  if (!wanted || !present) return false;
  return Object.entries(wanted).every(([path, entry]) => {
    if (path === "") return true;
    const found = present[path];
    // Binaries for other platforms are optional and rightly absent.
    return found ? found.version === entry.version && found.integrity === entry.integrity : entry.optional === true;
  });
}

function readLock(path) {
  try {
    return JSON.parse(readFileSync(path, "utf8")).packages;
  } catch {
    return undefined;
  }
}

/** Path of a Bun binary that runs on this machine. */
export function findBun() {
  const cpu = process.arch === "arm64" ? "aarch64" : process.arch;
  const os = process.platform === "win32" ? "windows" : process.platform;
  const packages = ["", "-musl", "-baseline", "-musl-baseline"].map((suffix) => `@oven/bun-${os}-${cpu}${suffix}/bin`);
  // Bun's install script, where it may run, moves the binary into bun/bin and calls it bun.exe on every platform.
  const folders = ["bun/bin", ...packages];
  return findBinary(
    "Bun",
    folders.flatMap((folder) => [`${folder}/bun.exe`, `${folder}/bun`]),
  );
}

/** Path of a Deno binary that runs on this machine. */
export function findDeno() {
  const folder = `@deno/${process.platform}-${process.arch}${process.platform === "linux" ? "-glibc" : ""}`;
  return findBinary("Deno", ["deno/deno", "deno/deno.exe", `${folder}/deno`, `${folder}/deno.exe`]);
}

function findBinary(name, candidates) {
  const tried = [];
  for (const candidate of candidates) {
    const path = join(root, "node_modules", candidate);
    if (!existsSync(path)) continue;
    makeExecutable(path);
    // Asking for the version tells a real binary from a placeholder and from one for another C library.
    const answer = spawnSync(path, ["--version"], { encoding: "utf8" });
    if (answer.status === 0) return path;
    tried.push(`${path}: ${answer.error?.message ?? answer.stderr.trim()}`);
  }
  const reason = tried.length > 0 ? `\n${tried.join("\n")}` : ": its package is not installed";
  throw new Error(`No ${name} binary runs on ${process.platform} ${process.arch}${reason}`);
}

function makeExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
  } catch {
    chmodSync(path, 0o755);
  }
}

/** Whether `dist/mcp-gateway` is missing or older than anything it is made of. */
export function isBuildStale() {
  if (!existsSync(binaryPath)) return true;
  const builtAt = statSync(binaryPath).mtimeMs;
  return ["src", "capabilities", "ui", "deploy", "package.json", "package-lock.json"].some(
    (path) => newestChange(join(root, path)) > builtAt,
  );
}

function newestChange(path) {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat) return 0;
  if (!stat.isDirectory()) return stat.mtimeMs;
  return readdirSync(path).reduce((newest, name) => Math.max(newest, newestChange(join(path, name))), stat.mtimeMs);
}

/** Builds `dist/mcp-gateway` when it is stale. Exits the process when that fails. */
export function ensureBuilt() {
  if (!isBuildStale()) return;
  console.error("Building dist/mcp-gateway …");
  const result = spawnSync(findBun(), ["deploy/build.ts"], { cwd: root, stdio: ["ignore", "inherit", "inherit"] });
  if (result.status !== 0) process.exit(1);
}

/** Runs a program in the foreground: signals go to it, and its end is the end of this process. */
export function runInForeground(command, args, options = {}) {
  const child = spawn(command, args, { cwd: root, stdio: "inherit", ...options });
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"];
  let forwardedAt = Number.NEGATIVE_INFINITY;
  for (const signal of signals) {
    process.on(signal, () => {
      // A terminal sends Ctrl-C to the child as well, and npm repeats every signal: a gateway would take the second
      // one as the order to leave at once.
      if (signal === "SIGINT" && process.stdin.isTTY) return;
      if (performance.now() - forwardedAt < 300) return;
      forwardedAt = performance.now();
      child.kill(signal);
    });
  }
  endWithParent(() => child.kill("SIGTERM"));
  child.on("error", (error) => {
    console.error(`Cannot run ${command}: ${error.message}`);
    process.exit(1);
  });
  child.on("exit", (code, signal) => {
    if (code !== null) process.exit(code);
    for (const name of signals) process.removeAllListeners(name);
    process.kill(process.pid, signal);
  });
  return child;
}

/** npm runs scripts below a shell that does not pass signals on: stopping npm would leave everything else running. */
export function endWithParent(stop) {
  if (process.env.npm_lifecycle_event === undefined) return;
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    stop();
  }, 300);
  timer.unref();
}
