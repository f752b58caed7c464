/**
 * The image without an engine: its file system is assembled by the script the Dockerfile runs, and what ENTRYPOINT, CMD,
 * USER, ENV and HEALTHCHECK say is done inside it, as process 1 of namespaces of its own.
 */
import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { lastOf, readDockerfile } from "../fixtures/dockerfile.ts";
import { binaryPath, endedWithTests, freePort, root } from "./harness.ts";

const docker = join(root, "deploy", "docker");
const [files, image] = readDockerfile(readFileSync(join(docker, "Dockerfile"), "utf8"));
const [user] = lastOf(image!, "USER").split(":");
const entrypoint: string[] = JSON.parse(lastOf(image!, "ENTRYPOINT"));
const command: string[] = JSON.parse(lastOf(image!, "CMD"));
const healthcheck: string[] = JSON.parse(lastOf(image!, "HEALTHCHECK").replace(/^.*?CMD /, ""));

/** What an engine mounts into every container, then the program as the image's user. */
const container = `set -eu
root=$1; shift
mkdir -p "$root/proc" "$root/dev"
mount -t proc proc "$root/proc"
mount -t tmpfs tmpfs "$root/dev"
for device in null zero random urandom; do touch "$root/dev/$device"; mount --bind "/dev/$device" "$root/dev/$device"; done
exec env -i $VARIABLES "$CHROOT" --userspec=${user}:${user} "$root" "$@"`;
const namespaces = ["--mount", "--pid", "--fork", "--kill-child"];
const mayIsolate =
  process.platform === "linux" &&
  spawnSync("unshare", [...namespaces, "true"]).status === 0 &&
  spawnSync("ldd", [binaryPath]).status === 0;
const skip = mayIsolate ? false : "needs a Linux with glibc and the right to make namespaces";

let folder = "";
let rootfs = "";
before(() => {
  if (!mayIsolate) return;
  folder = mkdtempSync(join(tmpdir(), "mcp-gateway-image-"));
  rootfs = join(folder, "rootfs");
  execFileSync("sh", [join(docker, "rootfs.sh"), binaryPath, rootfs]);
});
after(() => rmSync(folder, { recursive: true, force: true }));

/** Runs the words in the image with its ENV. Tools and their path are those of the machine, not of the image. */
function inside(words: readonly string[], variables: string): { args: string[]; env: Record<string, string> } {
  const chroot = ["/usr/sbin/chroot", "/usr/bin/chroot"].find((path) => existsSync(path)) ?? "chroot";
  return {
    args: [...namespaces, "sh", "-c", container, "sh", rootfs, ...words],
    env: { PATH: process.env["PATH"] ?? "", CHROOT: chroot, VARIABLES: `${lastOf(image!, "ENV")} ${variables}` },
  };
}

test("Dockerfile: takes what the build makes, and its context holds nothing else", () => {
  const copied = files!.filter(({ name }) => name === "COPY").flatMap(({ text }) => text.split(" ").slice(0, -1));
  const ignore = readFileSync(join(docker, "Dockerfile.dockerignore"), "utf8").trim().split("\n");
  assert.deepEqual(ignore, ["*", ...copied.map((path) => `!${path}`)]);
  for (const path of copied)
    assert.ok(/^dist\/mcp-gateway-linux-(x64|arm64)$/.test(path) || existsSync(join(root, path)), path);
  assert.match(files!.map(({ text }) => text).join("\n"), /sh \/rootfs\.sh "\/dist\/mcp-gateway-linux-/);
  assert.equal(lastOf(image!, "FROM"), "scratch");
  assert.notEqual(Number(user), 0);
  assert.equal(lastOf(image!, "EXPOSE"), "39400");
});

test("image: holds the executable, its libraries, certificates and a home, no shell, and nothing anyone may write", {
  skip,
}, () => {
  const top = readdirSync(rootfs).sort();
  assert.deepEqual(
    top.filter((name) => !name.startsWith("lib")),
    ["data", "etc", "tmp", "usr"],
  );
  const all = readdirSync(rootfs, { recursive: true, encoding: "utf8" });
  assert.ok(
    all.some((path) => /^lib.*\/ld-linux-/.test(path)),
    "the loader is there",
  );
  assert.deepEqual(all.filter((path) => path.startsWith("usr/")).sort(), [
    "usr/local",
    "usr/local/bin",
    "usr/local/bin/mcp-gateway",
  ]);
  assert.match(readFileSync(join(rootfs, "etc/ssl/certs/ca-certificates.crt"), "utf8"), /BEGIN CERTIFICATE/);
  assert.equal(statSync(join(rootfs, "data")).uid, Number(user));
  const writable = all.filter((path) => (statSync(join(rootfs, path)).mode & 0o002) !== 0);
  assert.deepEqual(writable, ["tmp"]);
});

test("image: serves, is healthy by its own check, keeps its state, and stops as process 1", { skip }, async () => {
  const port = String(await freePort());
  writeFileSync(join(rootfs, "etc/mcp-gateway/gateway.yaml"), "meta_mcp: {cache_ttl: 1s}\n");
  const { args, env } = inside([...entrypoint, ...command], `MCP_GATEWAY_PORT=${port}`);
  const child = endedWithTests(spawn("unshare", args, { env, stdio: ["ignore", "ignore", "pipe"] }));
  let log = "";
  for await (const chunk of child.stderr.setEncoding("utf8")) {
    log += chunk;
    if (/is ready/.test(log)) break;
  }
  assert.match(log, /config=\/etc\/mcp-gateway\/gateway\.yaml/);
  const check = (portOf: string) => {
    const { args, env } = inside(healthcheck, `MCP_GATEWAY_PORT=${portOf}`);
    return spawnSync("unshare", args, { env, encoding: "utf8" });
  };
  const healthy = check(port);
  assert.equal(healthy.status, 0, healthy.stderr);
  assert.equal(JSON.parse(healthy.stdout).status, "healthy");
  assert.equal(check("1").status, 1);
  const opened = await fetch(`http://127.0.0.1:${port}/mcp`, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/json, text/event-stream" },
    body: JSON.stringify({
      jsonrpc: "2.0",
      id: 1,
      method: "initialize",
      params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "test", version: "1" } },
    }),
  });
  assert.match(await opened.text(), /"serverInfo"/);
  const pid = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, "utf8").trim();
  assert.match(readFileSync(`/proc/${pid}/status`, "utf8"), new RegExp(`Uid:\\s+${user}\\s+${user}`));
  process.kill(Number(pid), "SIGTERM");
  const [code] = await once(child, "exit");
  assert.equal(code, 0);
  assert.notDeepEqual(readdirSync(join(rootfs, "data")), [], "the session is in the state directory");
});
