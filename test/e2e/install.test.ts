/** install.sh against a release folder of our own, with a stand-in for the program. */
import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { platforms, releasesUrl } from "../../deploy/release-files.ts";
import { root } from "./harness.ts";
import { type ReleaseServer, startReleaseServer } from "./release-server.ts";

/** Says which file it is, so that a test sees which one was chosen. */
const programOf = (asset: string) => `#!/bin/sh\n# ${asset}\necho "0.1.0"\n`;
const assets = platforms.map(({ file }) => file);

let server: ReleaseServer;
let home = "";

before(async () => {
  server = await startReleaseServer();
  home = mkdtempSync(join(tmpdir(), "mcp-gateway-install-"));
});
after(() => {
  server.close();
  rmSync(home, { recursive: true, force: true });
});
beforeEach(() => {
  server.files.clear();
  server.broken.clear();
  for (const asset of assets) server.files.set(asset, programOf(asset));
});

function install(args: readonly string[] = [], variables: Readonly<Record<string, string>> = {}) {
  const env = { PATH: process.env["PATH"] ?? "", HOME: home, MCP_GATEWAY_BASE_URL: server.url, ...variables };
  return new Promise<{ code: number; output: string }>((resolve) => {
    execFile(found("sh"), [join(root, "install.sh"), ...args], { env }, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code) : 0, output: stdout + stderr }),
    );
  });
}

/** A folder for the front of the path with programs that stand in for those of another system. */
function disguise(name: string, programs: Readonly<Record<string, string>>): string {
  const folder = join(home, `as ${name}`);
  mkdirSync(folder);
  for (const [program, script] of Object.entries(programs)) {
    writeFileSync(join(folder, program), `#!/bin/sh\n${script}\n`);
    chmodSync(join(folder, program), 0o755);
  }
  return `${folder}:${process.env["PATH"]}`;
}

test("install.sh: installs into ~/.local/bin and says what to do next", async () => {
  const { code, output } = await install();
  assert.equal(code, 0, output);
  assert.match(output, /Installed mcp-gateway 0\.1\.0 as .*\.local\/bin\/mcp-gateway/);
  assert.match(output, /export PATH=/);
  assert.match(readFileSync(join(home, ".local/bin/mcp-gateway"), "utf8"), /# mcp-gateway-(linux|darwin)-/);
  assert.deepEqual(readdirSync(join(home, ".local/bin")), ["mcp-gateway"]);
});

test("install.sh: installs into the directory it is given, over what is there", async () => {
  for (const args of [[join(home, "my bin")], ["--dir", join(home, "my bin")], [`--dir=${join(home, "my bin")}`]]) {
    mkdirSync(join(home, "my bin"), { recursive: true });
    writeFileSync(join(home, "my bin", "mcp-gateway"), "old");
    const { code, output } = await install(args);
    assert.equal(code, 0, output);
    assert.match(readFileSync(join(home, "my bin", "mcp-gateway"), "utf8"), /0\.1\.0/);
    assert.deepEqual(readdirSync(join(home, "my bin")), ["mcp-gateway"]);
  }
});

const uname = (os: string, cpu: string) => `case $1 in -m) echo ${cpu} ;; *) echo ${os} ;; esac`;
const systems: [string, Record<string, string>][] = [
  ["linux-x64", { uname: uname("Linux", "x86_64"), ldd: "echo 'ldd (GNU libc) 2.36'" }],
  ["linux-arm64", { uname: uname("Linux", "aarch64"), ldd: "echo 'ldd (Ubuntu GLIBC 2.39)'" }],
  ["linux-x64-musl", { uname: uname("Linux", "x86_64"), ldd: "echo 'musl libc (x86_64)' >&2; exit 1" }],
  ["linux-arm64-musl", { uname: uname("Linux", "aarch64"), ldd: "echo 'musl libc (aarch64)' >&2; exit 1" }],
  ["darwin-x64", { uname: uname("Darwin", "x86_64"), sysctl: "echo 0" }],
  ["darwin-arm64", { uname: uname("Darwin", "arm64") }],
  ["darwin-arm64", { uname: uname("Darwin", "x86_64"), sysctl: "echo 1" }],
];
for (const [at, [system, programs]] of systems.entries()) {
  test(`install.sh: ${system}${"sysctl" in programs && system.endsWith("arm64") ? " under Rosetta" : ""} gets its own program`, async () => {
    const directory = join(home, `for ${at}`);
    const { code, output } = await install(["--dir", directory], { PATH: disguise(String(at), programs) });
    assert.equal(code, 0, output);
    assert.match(readFileSync(join(directory, "mcp-gateway"), "utf8"), new RegExp(`# mcp-gateway-${system}\n`));
  });
}

test("install.sh: a system without a release is told where to look", async () => {
  for (const [os, cpu, says] of [
    ["MINGW64_NT", "x86_64", /no release for MINGW64_NT; on Windows download mcp-gateway-windows-x64\.exe from/],
    ["Linux", "riscv64", /no release for the processor riscv64/],
  ] as const) {
    const { code, output } = await install([], { PATH: disguise(cpu + os, { uname: uname(os, cpu) }) });
    assert.equal(code, 1);
    assert.match(output, says);
  }
});

test("T24 install.sh: a wrong checksum installs nothing and leaves what is there", async () => {
  server.files.set("SHA256SUMS", assets.map((name) => `${"0".repeat(64)}  ${name}\n`).join(""));
  mkdirSync(join(home, "tampered"));
  writeFileSync(join(home, "tampered", "mcp-gateway"), "old");
  const { code, output } = await install([join(home, "tampered")]);
  assert.equal(code, 1);
  assert.match(output, /checksum of mcp-gateway-.* expected 0{64}; nothing was installed/);
  assert.deepEqual(readdirSync(join(home, "tampered")), ["mcp-gateway"]);
  assert.equal(readFileSync(join(home, "tampered", "mcp-gateway"), "utf8"), "old");
});

test("install.sh: a release without this platform is named, a download that breaks off too", async () => {
  server.files.set("SHA256SUMS", `${"0".repeat(64)}  mcp-gateway-plan9-x64\n`);
  const { code, output } = await install([join(home, "missing")]);
  assert.equal(code, 1);
  assert.match(output, /SHA256SUMS does not list mcp-gateway-/);
  server.files.delete("SHA256SUMS");
  for (const asset of assets) server.broken.add(asset);
  const broken = await install([join(home, "missing")]);
  assert.equal(broken.code, 1);
  assert.match(broken.output, /could not be downloaded|the checksum of/);
  assert.deepEqual(readdirSync(join(home, "missing")), []);
});

/** Absolute path of a program of this machine. */
const found = (program: string) => execFileSync("sh", ["-c", `command -v ${program}`], { encoding: "utf8" }).trim();

/** A path with what every system has, and these programs. */
function bareSystem(name: string, programs: Readonly<Record<string, string>>): string {
  const folder = disguise(name, programs).split(":")[0]!;
  const everywhere = ["awk", "chmod", "mkdir", "mktemp", "mv", "rm", "uname"];
  for (const program of everywhere) symlinkSync(found(program), join(folder, program));
  return folder;
}

const wget = { wget: `exec ${found("curl")} -fs -o "$3" "$4"` };
const sum = found(process.platform === "darwin" ? "shasum" : "sha256sum");
test("install.sh: wget does where there is no curl, and shasum or openssl where there is no sha256sum", async () => {
  const sums = process.platform === "darwin" ? `${sum} -a 256` : sum;
  for (const [name, programs] of [
    ["shasum", { shasum: `[ "$1 $2" = "-a 256" ] && exec ${sums} "$3"` }],
    ["openssl", { openssl: `[ "$1 $2 $3" = "dgst -sha256 -r" ] && exec ${sums} "$4"` }],
  ] as const) {
    const directory = join(home, `by ${name}`);
    const PATH = bareSystem(name, { ...wget, ...programs });
    const { code, output } = await install(["--dir", directory], { PATH });
    assert.equal(code, 0, output);
    assert.deepEqual(readdirSync(directory), ["mcp-gateway"]);
  }
});

test("install.sh: nothing is installed where it cannot be downloaded or checked", async () => {
  for (const [name, programs, says] of [
    ["no download", {}, /neither curl nor wget is there to download it/],
    ["no check", wget, /neither sha256sum, shasum nor openssl is there to check the download/],
  ] as const) {
    const directory = join(home, name);
    const { code, output } = await install(["--dir", directory], { PATH: bareSystem(`with ${name}`, programs) });
    assert.equal(code, 1);
    assert.match(output, says);
    assert.deepEqual(readdirSync(directory), []);
  }
});

test("install.sh: --version takes that version or nothing", async () => {
  const same = await install(["--version", "v0.1.0", "--dir", join(home, "versions")]);
  assert.equal(same.code, 0, same.output);
  const other = await install(["--version=9.9.9", "--dir", join(home, "other version")]);
  assert.equal(other.code, 1);
  assert.match(other.output, /has version 0\.1\.0, not 9\.9\.9; nothing was installed/);
  assert.deepEqual(readdirSync(join(home, "other version")), []);
});

test("install.sh: without MCP_GATEWAY_BASE_URL it is the published release, newest or named", async () => {
  const script = 'echo "asked for $*" >&2; exit 22';
  const PATH = disguise("offline", { curl: script });
  const newest = await install(["--dir", join(home, "offline")], { PATH, MCP_GATEWAY_BASE_URL: "" });
  assert.match(newest.output, new RegExp(`asked for .*${releasesUrl}/latest/download/SHA256SUMS`));
  const named = await install(["--dir", join(home, "offline"), "--version", "1.2.3"], {
    PATH,
    MCP_GATEWAY_BASE_URL: "",
  });
  assert.match(named.output, new RegExp(`${releasesUrl}/download/v1\\.2\\.3/SHA256SUMS could not be downloaded`));
  assert.deepEqual(readdirSync(join(home, "offline")), []);
});

test("install.sh: what it cannot make sense of is said before anything is made", async () => {
  for (const [args, says] of [
    [["--prefix", "/usr"], /--prefix is not known/],
    [["--dir"], /--dir needs a value/],
    [["a", "b"], /"b" is one word too many/],
    [["--version", "1; reboot"], /--version must be like 1\.2\.3/],
  ] as const) {
    const { code, output } = await install(args);
    assert.equal(code, 2, output);
    assert.match(output, says);
    assert.match(output, /Usage: sh install\.sh/);
  }
  for (const address of ["http://releases.example", "http://127.0.0.1.example/x"]) {
    const { code, output } = await install(["--dir", join(home, "eavesdropped")], { MCP_GATEWAY_BASE_URL: address });
    assert.equal(code, 1);
    assert.match(output, /MCP_GATEWAY_BASE_URL must begin with https:\/\//);
  }
  assert.ok(!existsSync(join(home, "eavesdropped")));
  const homeless = await install([], { HOME: "" });
  assert.match(homeless.output, /HOME is not set: name a directory with --dir/);
});
