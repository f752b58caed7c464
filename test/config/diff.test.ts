import assert from "node:assert/strict";
import { test } from "node:test";
import { diffConfigs } from "../../src/config/diff.ts";
import { loadText } from "./fixture.ts";

test("diffConfigs: says what changed in the words of the reload outcome", async (t) => {
  const diff = async (before: string, after: string) =>
    diffConfigs((await loadText(t, before)).config, (await loadText(t, after)).config);
  const base = "capabilities: {directories: [/c]}\nbackends:\n  a: {command: x}\n  b: {command: y}\n";
  const same = await diff(base, `# comment\n${base.replace("x}", "x, timeout: 30s}")}`);
  assert.equal(same.changes, "no changes detected");
  const backends = await diff(
    base,
    `${base.replace("command: x", "command: z").replace("y}", "y, enabled: false}")}  c: {command: w}\n`,
  );
  assert.equal(backends.changes, "added backends: [c]; removed backends: [b]; modified backends: [a]");
  assert.deepEqual(backends.sections, []);
  const server = await diff(base, `${base}server: {port: 1}\n`);
  assert.equal(server.changes, "server address changed (restart required)");
  assert.ok(server.serverAddressChanged);
  const rest = await diff(base, `${base}server: {shutdown_timeout: 1s}\nfailsafe: {retry: {enabled: false}}\n`);
  assert.equal(rest.changes, "profiles/meta config changed");
  assert.deepEqual([rest.sections, rest.serverAddressChanged], [["server", "failsafe"], false]);
});
