/** install.sh against a local release folder, with a stand-in for the program. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { root } from "./harness.ts";

const program = '#!/bin/sh\necho "0.1.0"\n';
const cpu = process.arch === "arm64" ? "arm64" : "x64";
const assets = [`mcp-gateway-linux-${cpu}`, `mcp-gateway-linux-${cpu}-musl`, `mcp-gateway-darwin-${cpu}`];
const sum = createHash("sha256").update(program).digest("hex");

let sums = "";
const server = createServer((request, response) => {
  const name = request.url?.slice(1) ?? "";
  if (name === "SHA256SUMS") response.end(sums);
  else if (assets.includes(name)) response.end(program);
  else response.writeHead(404).end();
});
let home = "";

before(async () => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  home = mkdtempSync(join(tmpdir(), "mcp-gateway-install-"));
});
after(() => {
  server.close();
  rmSync(home, { recursive: true, force: true });
});

function install(...args: string[]): Promise<{ code: number; output: string }> {
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const env = { PATH: process.env["PATH"] ?? "", HOME: home, MCP_GATEWAY_BASE_URL: baseUrl };
  return new Promise((resolve) => {
    execFile("sh", [join(root, "install.sh"), ...args], { env }, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code) : 0, output: stdout + stderr }),
    );
  });
}

test("install.sh: installs into ~/.local/bin and says what to do next", async () => {
  sums = assets.map((name) => `${sum}  ${name}\n`).join("");
  const { code, output } = await install();
  assert.equal(code, 0, output);
  assert.match(output, /Installed mcp-gateway 0\.1\.0 as .*\.local\/bin\/mcp-gateway/);
  assert.match(output, /export PATH=/);
  assert.equal(readFileSync(join(home, ".local/bin/mcp-gateway"), "utf8"), program);
  assert.deepEqual(readdirSync(join(home, ".local/bin")), ["mcp-gateway"]);
});

test("install.sh: installs into the directory it is given", async () => {
  const { code, output } = await install(join(home, "my bin"));
  assert.equal(code, 0, output);
  assert.ok(existsSync(join(home, "my bin", "mcp-gateway")));
});

test("install.sh: a wrong checksum installs nothing", async () => {
  sums = assets.map((name) => `${"0".repeat(64)}  ${name}\n`).join("");
  const { code, output } = await install(join(home, "tampered"));
  assert.equal(code, 1);
  assert.match(output, /checksum of mcp-gateway-.* expected 0{64}; nothing was installed/);
  assert.deepEqual(readdirSync(join(home, "tampered")), []);
});

test("install.sh: a release without this platform is named", async () => {
  sums = `${sum}  mcp-gateway-plan9-x64\n`;
  const { code, output } = await install(join(home, "missing"));
  assert.equal(code, 1);
  assert.match(output, /SHA256SUMS does not list mcp-gateway-/);
  assert.deepEqual(readdirSync(join(home, "missing")), []);
});
