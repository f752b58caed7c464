/** The files that other supervisors read: systemd, launchd, Compose. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { globalArgs } from "../../src/commands/global-options.ts";
import { parseLine } from "../../src/commands/parse.ts";
import { root as commands } from "../../src/commands/root.ts";
import { loadConfig } from "../../src/config/load.ts";
import { lastOf, readDockerfile } from "../fixtures/dockerfile.ts";
import { readPropertyList } from "../fixtures/property-list.ts";

const deploy = fileURLToPath(new URL("../../deploy/", import.meta.url));
const read = (path: string) => readFileSync(join(deploy, path), "utf8");

function scratch(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "gateway-service-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** The command line is one that the program understands. */
function options(words: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const parsed = parseLine(words, commands, globalArgs);
  assert.deepEqual(parsed.path, ["serve"]);
  return parsed.options;
}

const graceMs = 30_000;

test("systemd unit: starts the gateway, keeps its state, and waits for running calls", async () => {
  const unit = new Map(
    Array.from(read("systemd/mcp-gateway.service").matchAll(/^(\w+)=(.*)$/gm), ([, key, value]) => [key!, value!]),
  );
  const [program, ...words] = unit.get("ExecStart")!.split(" ");
  assert.equal(program, "/usr/local/bin/mcp-gateway");
  assert.deepEqual(options(words).get("config"), ["/etc/mcp-gateway/gateway.yaml"]);
  assert.equal(unit.get("DynamicUser"), "yes");
  assert.ok(unit.get("Environment")!.includes(`MCP_GATEWAY_CONFIG_DIR=%S/${unit.get("StateDirectory")}`));
  assert.ok(Number(unit.get("TimeoutStopSec")) * 1_000 > graceMs);
  const { config } = await loadConfig({ path: undefined, overrides: [], env: {}, cwd: "/", fallBack: true });
  assert.equal(config.server.shutdown_timeout, graceMs, "the default that the supervisors wait for");
});

const systemd = spawnSync("systemd-analyze", ["--version"]).status === 0;
test("systemd unit: systemd takes it as it is, and finds it well confined", {
  skip: systemd ? false : "needs systemd",
}, (t) => {
  const path = join(scratch(t), "mcp-gateway.service");
  writeFileSync(path, read("systemd/mcp-gateway.service").replace("/usr/local/bin/mcp-gateway", process.execPath));
  const verified = spawnSync("systemd-analyze", ["verify", "--man=no", path], { encoding: "utf8" });
  assert.equal(verified.status, 0, verified.stderr);
  assert.doesNotMatch(verified.stderr, /mcp-gateway\.service/);
  const args = ["security", "--offline=yes", "--threshold=20", "--no-pager", path];
  const judged = spawnSync("systemd-analyze", args, { encoding: "utf8" });
  assert.equal(judged.status, 0, judged.stdout + judged.stderr);
});

test("launchd agent: is a property list whose line starts the gateway with its log", (t) => {
  const agent = readPropertyList(read("launchd/com.mcp-gateway.plist")) as Record<string, unknown>;
  assert.equal(agent["Label"], "com.mcp-gateway");
  assert.deepEqual([agent["RunAtLoad"], agent["KeepAlive"]], [true, true]);
  assert.ok((agent["ExitTimeOut"] as number) * 1_000 > graceMs);
  const [shell, flags, line] = agent["ProgramArguments"] as string[];
  assert.deepEqual([shell, flags], ["/bin/zsh", "-lc"]);

  const home = join(scratch(t), "a home");
  for (const folder of [".local/bin", "Library/Logs"]) mkdirSync(join(home, folder), { recursive: true });
  writeFileSync(join(home, ".local/bin/mcp-gateway"), '#!/bin/sh\nprintf "%s\\n" "$@"\n', { mode: 0o755 });
  execFileSync("sh", ["-c", line!], { env: { HOME: home, PATH: "/usr/bin:/bin" } });
  const words = readFileSync(join(home, "Library/Logs/mcp-gateway.log"), "utf8").trimEnd().split("\n");
  assert.deepEqual(options(words).get("config"), [join(home, ".config/mcp-gateway/gateway.yaml")]);
});

test("readPropertyList: refuses what is no property list", () => {
  const list = read("launchd/com.mcp-gateway.plist");
  for (const broken of [
    list.replace("</dict>", ""),
    list.replace("<key>KeepAlive</key>", ""),
    list.replace("&gt;&gt;", "& "),
    list.replace("<integer>10<", "<integer>ten<"),
    list.replace(/<!DOCTYPE[^>]*>/, ""),
  ])
    assert.throws(() => readPropertyList(broken), SyntaxError);
});

test("Compose file: mounts what the image reads and writes, and opens it to this machine alone", async (t) => {
  const { services, volumes } = parse(read("docker/compose.yaml"));
  const { gateway } = services;
  const image = readDockerfile(read("docker/Dockerfile")).at(-1)!;
  assert.ok(existsSync(join(deploy, "docker", gateway.build.context, gateway.build.dockerfile)));
  assert.deepEqual(gateway.ports, [`127.0.0.1:39400:${lastOf(image, "EXPOSE")}`]);
  const [config, state] = gateway.volumes as [string, string];
  assert.equal(config, "./gateway.yaml:/etc/mcp-gateway/gateway.yaml:ro");
  assert.equal(state, `state:${lastOf(image, "VOLUME")}`);
  assert.deepEqual(Object.keys(volumes), ["state"]);
  assert.ok(Number.parseInt(gateway.stop_grace_period, 10) * 1_000 > graceMs);
  assert.deepEqual([gateway.read_only, gateway.cap_drop], [true, ["ALL"]]);
  // Its own words, also those that are commented out, are a configuration without a mistake.
  const text = read("docker/gateway.yaml")
    .replace("backends: {}", "backends:")
    .replace(/^# {2}/gm, "  ")
    .replace(/^#/gm, "");
  const path = join(scratch(t), "gateway.yaml");
  writeFileSync(path, `config: {strict: true}\n${text.replace(/^ The image.*$/m, "")}`);
  const loaded = await loadConfig({ path, overrides: [], env: {}, cwd: deploy, fallBack: false });
  assert.deepEqual(Object.keys(loaded.config.backends), ["docs"]);
});
