/** `mcp-gateway upgrade` of a copy of the executable, from a release server of our own, with a script as the newer program. */
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import {
  constants,
  copyFileSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { after, before, beforeEach, type TestContext, test } from "node:test";
import { platforms } from "../../deploy/release-files.ts";
import packageJson from "../../package.json" with { type: "json" };
import { binaryPath, endedWithTests, environmentIn, root } from "./harness.ts";
import { type ReleaseServer, sha256, startReleaseServer } from "./release-server.ts";

const own = packageJson.version;
const newer = "#!/bin/sh\necho 99.1.0\n";
const assets = platforms.filter(({ os, cpu }) => os === process.platform && cpu === process.arch).map((p) => p.file);

let server: ReleaseServer;
before(async () => {
  server = await startReleaseServer();
});
after(() => server.close());
beforeEach(() => {
  server.files.clear();
  server.broken.clear();
  server.stalled.clear();
  release("99.1.0", newer);
});

function release(version: string, program: string): void {
  server.files.set("VERSION", `${version}\n`);
  for (const asset of assets) server.files.set(asset, program);
}

/** A folder with the executable in it, on the file system of the executable: a second name of it, or a copy. */
function installed(t: TestContext, below = "."): { folder: string; program: string } {
  const base = realpathSync(mkdtempSync(join(dirname(binaryPath), ".upgrade-test-")));
  t.after(() => rmSync(base, { recursive: true, force: true }));
  const folder = join(base, below);
  mkdirSync(folder, { recursive: true });
  const program = join(folder, "mcp-gateway");
  try {
    linkSync(binaryPath, program);
  } catch {
    copyFileSync(binaryPath, program, constants.COPYFILE_FICLONE);
  }
  return { folder, program };
}

function run(
  program: string,
  args: readonly string[],
  baseUrl = server.url,
): Promise<{ code: number; output: string }> {
  const env = environmentIn(dirname(program), { MCP_GATEWAY_BASE_URL: baseUrl });
  return new Promise((resolve) => {
    execFile(program, args, { env }, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code) : 0, output: stdout + stderr }),
    );
  });
}

test("upgrade: puts the new program into place, keeps the old one, follows a link to itself", async (t) => {
  const { folder, program } = installed(t);
  mkdirSync(join(folder, "path"));
  symlinkSync(program, join(folder, "path", "mcp-gateway"));
  const before = statSync(binaryPath);
  const { code, output } = await run(join(folder, "path", "mcp-gateway"), ["upgrade"]);
  assert.equal(code, 0, output);
  assert.ok(output.startsWith(`Upgraded ${program} from ${own} to 99.1.0; the old one is ${program}.old\n`), output);
  assert.equal(readFileSync(program, "utf8"), newer);
  assert.deepEqual(readdirSync(folder).sort(), ["mcp-gateway", "mcp-gateway.old", "path"]);
  assert.equal(statSync(program).mode, before.mode);
  assert.equal((await run(`${program}.old`, ["--version"])).output, `${own}\n`);
  assert.equal(statSync(binaryPath).size, before.size, "the file that the old name shares must not be written into");
});

test("upgrade: --check and --dry-run say that there is a newer one and change nothing", async (t) => {
  const { folder, program } = installed(t);
  for (const flag of ["--check", "--dry-run"])
    assert.deepEqual(await run(program, ["upgrade", flag]), {
      code: 0,
      output: `mcp-gateway 99.1.0 is available, this is ${own}\n`,
    });
  assert.deepEqual(readdirSync(folder), ["mcp-gateway"]);
});

test("upgrade: the same and an older release are no upgrade, but the older one may be named", async (t) => {
  const { program } = installed(t);
  for (const version of [own, "0.0.9", `${own}-rc.1`]) {
    release(version, newer);
    assert.deepEqual(await run(program, ["upgrade"]), { code: 0, output: `mcp-gateway ${own} is up to date\n` });
    assert.deepEqual(await run(program, ["upgrade", "-q"]), { code: 0, output: "" });
  }
  release("0.0.9", newer.replace("99.1.0", "0.0.9"));
  const { code, output } = await run(program, ["upgrade", "v0.0.9"]);
  assert.equal(code, 0, output);
  assert.match(output, new RegExp(`from ${own} to 0\\.0\\.9`));
  assert.equal((await run(program, ["--version"])).output, "0.0.9\n");
});

const refused: [string, () => void, readonly string[], RegExp][] = [
  [
    "a program that is not the one of the checksum",
    () => server.files.set("SHA256SUMS", sumsWith(assets, "0".repeat(64))),
    [],
    /The checksum of .* is [0-9a-f]{64}, expected 0{64}; nothing was changed/,
  ],
  [
    "a version that is not the one of the checksum",
    () => server.files.set("SHA256SUMS", sumsWith(["VERSION"], "0".repeat(64))),
    [],
    /The checksum of .*VERSION is .* expected 0{64}; nothing was changed/,
  ],
  [
    "a release without this platform",
    () => {
      for (const asset of assets) server.files.delete(asset);
    },
    [],
    /SHA256SUMS does not list mcp-gateway-.*; nothing was changed/,
  ],
  [
    "a download that breaks off",
    () => {
      for (const asset of assets) server.broken.add(asset);
    },
    [],
    /Cannot download http:.*mcp-gateway-|checksum/,
  ],
  [
    "a program that does not run here",
    () => release("99.1.0", "\x7fELF, but of another machine"),
    [],
    /does not run on this machine; nothing was changed/,
  ],
  [
    "a program of another version",
    () => release("99.1.0", "#!/bin/sh\necho 0.0.1\n"),
    [],
    /says it is "0\.0\.1", not 99\.1\.0; nothing was changed/,
  ],
  ["another release than the one asked for", () => {}, ["98.0.0"], /has version 99\.1\.0, not 98\.0\.0; nothing was/],
  [
    "an address without releases",
    () => server.files.delete("VERSION"),
    [],
    /Cannot download .*VERSION: the answer is 404/,
  ],
  ["no version", () => {}, ["newest"], /"newest" is not a version such as 1\.2\.3/],
];

function sumsWith(wrong: readonly string[], sum: string): string {
  return Array.from(
    server.files,
    ([name, content]) => `${wrong.includes(name) ? sum : sha256(content)}  ${name}\n`,
  ).join("");
}

for (const [what, prepare, args, says] of refused) {
  test(`T24 upgrade: refuses ${what}`, async (t) => {
    const { folder, program } = installed(t);
    prepare();
    const { code, output } = await run(program, ["upgrade", ...args]);
    assert.notEqual(code, 0, output);
    assert.match(output, says);
    assert.deepEqual(readdirSync(folder), ["mcp-gateway"]);
    assert.equal((await run(program, ["--version"])).output, `${own}\n`);
  });
}

test("upgrade: interrupted while it downloads, it leaves nothing behind", async (t) => {
  const { folder, program } = installed(t);
  const begun = new Promise<void>((resolve) => {
    for (const asset of assets) server.stalled.set(asset, resolve);
  });
  const env = environmentIn(folder, { MCP_GATEWAY_BASE_URL: server.url });
  const child = endedWithTests(spawn(program, ["upgrade"], { env, stdio: ["ignore", "ignore", "pipe"] }));
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (errors += text));
  await begun;
  child.kill("SIGINT");
  assert.deepEqual(await once(child, "close"), [1, null]);
  assert.equal(errors, "Stopped; nothing was changed\n");
  assert.deepEqual(readdirSync(folder), ["mcp-gateway"]);
});

test("upgrade: leaves what a package manager installed to it", async (t) => {
  for (const [below, says] of [
    ["node_modules/@mcp-gateway/linux-x64/bin", /belongs to a package manager: use "npm install --global/],
    ["Cellar/mcp-gateway/0.1.0/bin", /belongs to a package manager: use "brew upgrade mcp-gateway"/],
  ] as const) {
    const { folder, program } = installed(t, below);
    const { code, output } = await run(program, ["upgrade"]);
    assert.equal(code, 1);
    assert.match(output, says);
    assert.deepEqual(readdirSync(folder), ["mcp-gateway"]);
  }
});

test("upgrade: takes a program only from where nobody on the way can change it", async (t) => {
  const { program } = installed(t);
  for (const address of ["http://releases.example", "http://127.0.0.1.example", "ftp://127.0.0.1", "releases"]) {
    const { code, output } = await run(program, ["upgrade"], address);
    assert.equal(code, 1);
    assert.match(output, /MCP_GATEWAY_BASE_URL must begin with https:\/\//);
  }
});

test("upgrade: from source there is nothing to replace", async () => {
  const bun = process.execPath;
  const { code, output } = await new Promise<{ code: number; output: string }>((resolve) => {
    execFile(bun, ["run", join(root, "src/main.ts"), "upgrade"], (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code) : 0, output: stdout + stderr }),
    );
  });
  assert.equal(code, 1);
  assert.match(output, /Only a released executable can be upgraded; this one runs from its source/);
});
