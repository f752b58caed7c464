/** What a SIEM is given: which fields, when, how much waits, and that nothing else waits for it. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import * as v from "valibot";
import { silentLogger } from "../../src/core/log.ts";
import { type SecurityAction, type SecurityEvent, securityActions } from "../../src/core/security-event.ts";
import { ecsLine } from "../../src/observe/siem/ecs-line.ts";
import { siemExportSchema } from "../../src/observe/siem/schema.ts";
import { createSiemExport } from "../../src/observe/siem/siem-export.ts";
import { FakeClock } from "../fixtures/fake-clock.ts";

const same = (text: string) => text;
const by = { name: "ada", principal: "jwt:1:2", role: "operator" } as const;

function setUp(t: TestContext, changes: object = {}) {
  const folder = mkdtempSync(join(tmpdir(), "siem-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, "siem.ndjson");
  let settings = v.parse(siemExportSchema, { enabled: true, sink_path: path, ...changes });
  const clock = new FakeClock();
  const problems: unknown[] = [];
  const errors: string[] = [];
  const log = { ...silentLogger, error: (message: string) => void errors.push(message) };
  const siem = createSiemExport({
    settings: () => settings,
    log,
    clock,
    redact: same,
    onProblem: (error) => void problems.push(error),
  });
  const lines = (file = path) => {
    try {
      return readFileSync(file, "utf8").split("\n").slice(0, -1);
    } catch {
      return [];
    }
  };
  const reload = (next: object) => {
    settings = v.parse(siemExportSchema, { ...settings, ...next });
  };
  const denied = (count: number, action: SecurityAction = "call-denied") => {
    for (let at = 0; at < count; at++) siem.note({ action, server: `s${at}`, failed: true }, 0);
  };
  return { folder, path, clock, siem, lines, reload, denied, problems, errors };
}

test("siem: a line has the fields of ECS 8.11 that are documented, and nothing else", () => {
  const event: SecurityEvent = {
    action: "tool-approved",
    by,
    server: "calc",
    tool: "add",
    digest: "d".repeat(64),
    reason: "looked at it",
    rollback: "deny it",
    requestId: "r-1",
    address: "10.0.0.1",
    code: "OK",
    detail: "it changed",
  };
  const { service, ...rest } = JSON.parse(ecsLine(event, 0, same));
  assert.equal(service.type, "mcp-gateway");
  assert.deepEqual(rest, {
    "@timestamp": "1970-01-01T00:00:00.000Z",
    ecs: { version: "8.11.0" },
    message: "it changed",
    event: {
      kind: "event",
      category: ["configuration"],
      type: ["change"],
      action: "tool-approved",
      outcome: "success",
      module: "mcp_gateway",
      dataset: "mcp_gateway.control_plane",
      code: "OK",
      reason: "looked at it",
    },
    user: { name: "ada", id: "jwt:1:2", roles: ["operator"] },
    source: { ip: "10.0.0.1" },
    http: { request: { id: "r-1" } },
    mcp_gateway: { server: "calc", tool: "add", definition_sha256: "d".repeat(64), rollback: "deny it" },
  });
  for (const action of Object.keys(securityActions) as SecurityAction[]) {
    const { event } = JSON.parse(ecsLine({ action }, 0, same));
    assert.deepEqual([event.action, event.outcome, event.category.length], [action, "success", 1]);
  }
});

test("siem: secrets are out before a text is cut, and a line feed ends no line", () => {
  const secret = "s3cret-value";
  const redact = (text: string) => text.replaceAll(secret, "[redacted]");
  const text = `${"x".repeat(495)}${secret}\nforged`;
  const line = ecsLine({ action: "call-denied", tool: text, detail: text, reason: text, server: text }, 0, redact);
  assert.ok(!line.includes("s3cr") && !line.includes("\n"), line);
  assert.ok(line.length < 3_000);
});

test("siem: events are written at their interval, batch after batch, and the lag is told until then", async (t) => {
  const { clock, siem, lines, denied } = setUp(t, { max_batch: 2 });
  denied(5);
  denied(1, "authentication-failed");
  assert.deepEqual(siem.status().calls, { lag: 5, written: 0, dropped: 0 });
  await clock.advance(14_999);
  assert.deepEqual(lines(), []);
  await clock.advance(1);
  await siem.flush();
  assert.equal(lines().length, 6);
  assert.deepEqual(siem.status().calls, { lag: 0, written: 5, dropped: 0 });
  assert.deepEqual(siem.status().access, { lag: 0, written: 1, dropped: 0 });
  assert.equal(clock.pending, 0, "nothing is left to be done");
});

test("siem: a disk that refuses costs nobody anything, is told once, and gets everything in order when it is well", async (t) => {
  const { folder, clock, siem, lines, reload, denied, problems } = setUp(t);
  writeFileSync(join(folder, "file"), "");
  reload({ sink_path: join(folder, "file", "siem.ndjson") });
  denied(3);
  await siem.flush();
  denied(2);
  await clock.advance(60_000);
  await siem.flush();
  assert.equal(siem.isFailing, true);
  assert.equal(problems.length, 1);
  assert.deepEqual(siem.status().calls, { lag: 5, written: 0, dropped: 0 });
  rmSync(join(folder, "file"));
  mkdirSync(join(folder, "file"));
  await clock.advance(60_000);
  await siem.flush();
  const servers = lines(join(folder, "file", "siem.ndjson")).map((line) => JSON.parse(line).mcp_gateway.server);
  assert.deepEqual(servers, ["s0", "s1", "s2", "s0", "s1"]);
  assert.deepEqual([siem.isFailing, problems.at(-1)], [false, undefined]);
});

test("siem: another file takes what the one before did not, and is not told to be failing", async (t) => {
  const { folder, path, siem, lines, reload, denied, problems } = setUp(t);
  writeFileSync(join(folder, "file"), "");
  reload({ sink_path: join(folder, "file", "siem.ndjson") });
  denied(3);
  await siem.flush();
  assert.equal(siem.isFailing, true);
  reload({ sink_path: path });
  denied(1);
  await siem.flush();
  assert.equal(lines().length, 4);
  assert.deepEqual([siem.isFailing, problems.at(-1)], [false, undefined]);
});

test("siem: a flood of one source costs no event of another, and its losses are counted and told once", async (t) => {
  const { siem, lines, denied, errors } = setUp(t);
  denied(2_500, "authentication-failed");
  denied(3);
  siem.note({ action: "server-killed", server: "one", by }, 0);
  assert.deepEqual(siem.status().access, { lag: 2_000, written: 0, dropped: 500 });
  assert.equal(errors.length, 1);
  await siem.flush();
  assert.equal(lines().length, 2_004);
  assert.deepEqual(siem.status().calls, { lag: 0, written: 3, dropped: 0 });
});

test("siem: a full file is put aside, five are kept, and no line is lost in between", async (t) => {
  const { folder, siem, denied, lines, path } = setUp(t, { max_file_size: 500, max_batch: 1 });
  denied(9);
  await siem.flush();
  const names = readdirSync(folder).sort();
  assert.deepEqual(names, ["siem.ndjson", ...[1, 2, 3, 4, 5].map((number) => `siem.ndjson.${number}`)]);
  const kept = [5, 4, 3, 2, 1].flatMap((number) => lines(`${path}.${number}`)).concat(lines());
  const servers = kept.map((line) => JSON.parse(line).mcp_gateway.server);
  assert.deepEqual(servers, ["s3", "s4", "s5", "s6", "s7", "s8"]);
});
