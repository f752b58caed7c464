import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { Observatory } from "../../src/observe/observatory.ts";
import { callsOf } from "../../src/observe/tool-profile.ts";
import { FakeClock } from "../fixtures/fake-clock.ts";
import { observed } from "./calls.ts";

const day = 86_400_000;

function setting(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), "mcp-gateway-profiles-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, "state", "profiles.json");
  const clock = new FakeClock();
  const problems: unknown[] = [];
  const time = { now: 1_000 * day };
  const open = () =>
    new Observatory({
      isListed: () => true,
      now: () => time.now,
      clock,
      redact: (text) => text.replaceAll("s3cret", "***"),
      profilePath: path,
      onProblem: (error) => problems.push(error),
    });
  const calls = async (one: Observatory, tool = "read") => {
    const profile = (await one.all()).profiles.get("files")?.get(tool);
    return profile === undefined ? 0 : callsOf(profile);
  };
  return { path, clock, problems, time, open, calls };
}

test("ProfileFile: half a minute after a call it is on disk, without secrets, and the next process goes on", async (t) => {
  const { path, clock, open, calls } = setting(t);
  const first = open();
  first.record(observed());
  first.record(observed({ outcome: "UPSTREAM_ERROR", reason: "token s3cret is wrong" }));
  first.discovered(
    "gateway_search_tools",
    '{"content":[{"type":"text","text":"some words"}],"structuredContent":{"a":"b c d e"}}',
    3,
  );
  assert.equal(existsSync(path), false);
  await clock.advance(30_000);
  await first.flush();
  const text = readFileSync(path, "utf8");
  assert.ok(!text.includes("s3cret") && text.includes("***"), text);

  const second = open();
  assert.equal(await calls(second), 2);
  second.record(observed());
  assert.equal(await calls(second), 3, "what is not on disk yet counts too");
  await second.flush();
  assert.equal(await calls(open()), 3);
  const { clients } = await open().all();
  assert.deepEqual(
    clients.discovery,
    { gateway_search_tools: { calls: 1, tokens: 2 } },
    "what programs read is not counted",
  );
});

test("ProfileFile: two processes that share the file lose nothing of each other", async (t) => {
  const { open, calls } = setting(t);
  const [one, other] = [open(), open()];
  await Promise.all([one.all(), other.all()]);
  for (let round = 0; round < 3; round++)
    for (const process of [one, other]) {
      process.record(observed());
      process.record(observed({ tool: "write" }));
      await process.flush();
    }
  assert.deepEqual([await calls(open()), await calls(open(), "write")], [6, 6]);
});

test("ProfileFile: a full disk costs nothing but the file, and is said once", async (t) => {
  const { path, clock, problems, open, calls } = setting(t);
  writeFileSync(join(path, "..", "..", "state"), "a file where the folder should be");
  const one = open();
  one.record(observed());
  await clock.advance(30_000);
  await one.flush();
  one.record(observed());
  await one.flush();
  assert.equal(problems.length, 1);
  assert.equal(await calls(one), 2);
  rmSync(join(path, ".."));
  mkdirSync(join(path, ".."));
  await one.flush();
  assert.equal(problems.length, 2);
  assert.equal(problems[1], undefined, "it works again");
  assert.equal(await calls(open()), 2, "nothing was lost meanwhile");
});

test("ProfileFile: a broken file, one of another format and hostile numbers are as good as none", async (t) => {
  const { path, open, calls } = setting(t);
  mkdirSync(join(path, ".."));
  const profile = { kinds: { ok: -5 }, latency: ["x"], hours: [] };
  for (const text of [
    "{",
    "[]",
    '{"version":2,"servers":{}}',
    JSON.stringify({ version: 1, servers: { files: { read: profile } } }),
  ]) {
    writeFileSync(path, text);
    assert.equal(await calls(open()), 0, text);
  }
  const one = open();
  one.record(observed());
  await one.flush();
  assert.equal(await calls(open()), 1);
});

test("ProfileFile: a tool nobody called for ninety days is forgotten", async (t) => {
  const { time, open, calls } = setting(t);
  const one = open();
  one.record(observed());
  await one.flush();
  time.now += 91 * day;
  one.record(observed({ tool: "write" }));
  await one.flush();
  assert.deepEqual([await calls(open()), await calls(open(), "write")], [0, 1]);
});
