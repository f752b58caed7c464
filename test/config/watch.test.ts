import assert from "node:assert/strict";
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { type LoadedConfig, loadConfig } from "../../src/config/load.ts";
import { watchConfig } from "../../src/config/watch.ts";
import { ConfigError } from "../../src/core/errors.ts";
import { temporaryFolder } from "./fixture.ts";

/** Follows `gateway.yaml` of the folder with short waits, and hands out what it reports one by one. */
async function follow(t: TestContext, folder: string) {
  const request = { cwd: folder, env: { HOME: folder } };
  const reports: (LoadedConfig | ConfigError)[] = [];
  let wake = () => {};
  const watcher = watchConfig({
    request,
    loaded: await loadConfig(request),
    onChange(next) {
      reports.push(next);
      wake();
    },
    debounceMs: 20,
    maxWaitMs: 200,
    pollMs: 50,
  });
  t.after(() => watcher.close());
  await quiet(60);
  const next = async (): Promise<LoadedConfig | ConfigError> => {
    const deadline = Date.now() + 5_000;
    while (reports.length === 0) {
      assert.ok(Date.now() < deadline, "nothing was reported within 5 s");
      await Promise.race([new Promise<void>((resolve) => (wake = resolve)), quiet(100)]);
    }
    return reports.shift() as LoadedConfig | ConfigError;
  };
  const nextPort = async () => portOf(await next());
  const nextError = async () => {
    const found = await next();
    assert.ok(found instanceof ConfigError, `expected an error, found port ${portOf(found)}`);
    return found.message;
  };
  /** Skips reports of states in between until the one that is wanted comes. */
  const until = async (wanted: (found: LoadedConfig | ConfigError) => boolean) => {
    for (;;) {
      const found = await next();
      if (wanted(found)) return found;
    }
  };
  return { next, nextPort, nextError, until, reports };
}

function portOf(found: LoadedConfig | ConfigError): number | string {
  return found instanceof ConfigError ? found.message : found.config.server.port;
}

/** Events of the file system come when they come; this only has to be longer than the debounce set above. */
function quiet(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function start(t: TestContext) {
  const folder = temporaryFolder(t);
  const path = join(folder, "gateway.yaml");
  writeFileSync(path, "server: {port: 1}\n");
  return { folder, path };
}

test("F16 watchConfig: broken, empty, half-written and deleted files are reported, the next good one is loaded", async (t) => {
  const { folder, path } = start(t);
  const { nextPort, nextError, reports } = await follow(t, folder);
  writeFileSync(path, "server: {port: [\n");
  assert.match(await nextError(), /^gateway\.yaml:2:1 {2}/);
  writeFileSync(path, "");
  assert.match(await nextError(), /gateway\.yaml:1:1 {2}The file is empty/);
  writeFileSync(path, "server:\n  po");
  assert.match(await nextError(), /gateway\.yaml:2:3 {2}|server must be a map/);
  rmSync(path);
  assert.match(await nextError(), /does not exist/);
  mkdirSync(path);
  await quiet(150);
  rmSync(path, { recursive: true });
  writeFileSync(path, "server: {port: 2}\n");
  assert.equal(await nextPort(), 2);
  await quiet(150);
  assert.deepEqual(reports, [], "each edit is reported once");
});

test("F16 watchConfig: files renamed over it and swapped links are followed", async (t) => {
  const folder = temporaryFolder(t);
  for (const version of ["v1", "v2"]) {
    mkdirSync(join(folder, version));
    writeFileSync(join(folder, version, "gateway.yaml"), `server: {port: ${version.slice(1)}}\n`);
  }
  symlinkSync("v1", join(folder, "..data"));
  symlinkSync(join("..data", "gateway.yaml"), join(folder, "gateway.yaml"));
  const { nextPort } = await follow(t, folder);
  // As kubectl replaces a ConfigMap.
  symlinkSync("v2", join(folder, "..new"));
  renameSync(join(folder, "..new"), join(folder, "..data"));
  assert.equal(await nextPort(), 2);
  writeFileSync(join(folder, "v2", "gateway.yaml"), "server: {port: 3}\n");
  assert.equal(await nextPort(), 3);
  writeFileSync(join(folder, "tmp"), "server: {port: 4}\n");
  renameSync(join(folder, "tmp"), join(folder, "gateway.yaml"));
  assert.equal(await nextPort(), 4);
});

test("F16 watchConfig: its folder may be removed and made again", async (t) => {
  const parent = temporaryFolder(t);
  const folder = join(parent, "etc");
  const path = join(folder, "gateway.yaml");
  mkdirSync(folder);
  writeFileSync(path, "server: {port: 1}\n");
  const { until } = await follow(t, folder);
  rmSync(folder, { recursive: true });
  await until((found) => found instanceof ConfigError);
  mkdirSync(folder);
  writeFileSync(path, "server: {port: 2}\n");
  await until((found) => portOf(found) === 2);
  await quiet(120);
  writeFileSync(path, "server: {port: 3}\n");
  await until((found) => portOf(found) === 3);
});

test("F16 watchConfig: a thousand edits are few reports, and the last edit wins", async (t) => {
  const { folder, path } = start(t);
  const { until, reports } = await follow(t, folder);
  let seen = 0;
  const done = until((found) => {
    seen += 1;
    return portOf(found) === 1_999;
  });
  for (let edit = 1_000; edit < 2_000; edit += 1) {
    writeFileSync(path, edit % 3 === 0 ? "broken: [" : `server: {port: ${edit}}\n`);
    if (edit % 50 === 0) await quiet(5);
  }
  writeFileSync(path, "server: {port: 1999}\n");
  await done;
  assert.ok(seen + reports.length < 50, `${seen} reports`);
});

test("watchConfig: saving the same content and changing a neighbour report nothing", async (t) => {
  const { folder, path } = start(t);
  const { nextPort, reports } = await follow(t, folder);
  writeFileSync(path, "server: {port: 1}\n");
  writeFileSync(join(folder, "other.txt"), "x");
  await quiet(200);
  assert.deepEqual(reports, []);
  writeFileSync(path, "server: {port: 2}\n");
  assert.equal(await nextPort(), 2);
});

test("watchConfig: env files count, also one that appears and one that a new version of the file names", async (t) => {
  const { folder, path } = start(t);
  const port = "server: {port: 1}\n";
  writeFileSync(path, `${port}env_files: [a.env]\n`);
  const { next, nextPort } = await follow(t, folder);
  writeFileSync(join(folder, "a.env"), "MCP_GATEWAY_SERVER__PORT=5\n");
  assert.equal(await nextPort(), 5);
  writeFileSync(path, `${port}env_files: [b.env]\n`);
  assert.equal(await nextPort(), 1);
  writeFileSync(join(folder, "b.env"), "MCP_GATEWAY_SERVER__PORT=6\n");
  const found = await next();
  assert.equal(portOf(found), 6);
});
