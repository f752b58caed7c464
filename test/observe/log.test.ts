import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Redactor } from "../../src/lib/redact.ts";
import { createLogger, type LogOptions } from "../../src/observe/log.ts";

function setup(changes: Partial<LogOptions> = {}) {
  const lines: string[] = [];
  const log = createLogger({
    level: "info",
    format: "text",
    write: (line) => lines.push(line),
    redact: new Redactor(["c4nary-s3cret"]).redact,
    now: () => new Date(Date.UTC(2026, 0, 2, 3, 4, 5, 6)),
    ...changes,
  });
  return { log, lines };
}

describe("createLogger", () => {
  test("text is time, level, message and key=value, quoted only where it must be", () => {
    const { log, lines } = setup();
    log.info("Backend started", { server: "files", pid: 12, warm: true, cwd: "/a b", empty: "", none: undefined });
    assert.deepEqual(lines, [
      '2026-01-02T03:04:05.006Z INFO  Backend started server=files pid=12 warm=true cwd="/a b" empty=""',
    ]);
  });

  test("json is one object per line, in which no field can take the place of ours", () => {
    const { log, lines } = setup({ format: "json" });
    log.warn("Slow", { ms: 12, level: "fake", message: "fake" });
    assert.equal(lines[0], '{"time":"2026-01-02T03:04:05.006Z","level":"warn","message":"Slow","ms":12}');
  });

  test("setLevel takes effect at once, for bound loggers too", () => {
    const { log, lines } = setup({ level: "warn" });
    const bound = log.with({ request_id: "r1" }).with({ server: "files" });
    bound.info("unheard");
    log.setLevel("debug");
    assert.equal(log.level, "debug");
    bound.debug("heard", { n: 1 });
    log.setLevel("error");
    bound.warn("unheard");
    bound.error("heard again", { server: "web" });
    assert.deepEqual(
      lines.map((line) => line.slice(25)),
      ["DEBUG heard request_id=r1 server=files n=1", "ERROR heard again request_id=r1 server=web"],
    );
  });

  test("T13: secrets are taken out of messages and values, by value and by pattern", () => {
    for (const format of ["text", "json"] as const) {
      const { log, lines } = setup({ format });
      log.with({ bound: "x c4nary-s3cret" }).error("c4nary-s3cret", {
        encoded: `Basic ${btoa("user:c4nary-s3cret")}`,
        header: `Bearer ${"a1".repeat(10)}`,
      });
      const line = lines.join();
      assert.equal(line.match(/\[redacted\]/g)?.length, 4, line);
      assert.ok(!/c4nary|Y2FuYXJ5|NG5hcnkt|a1a1/.test(line), line);
    }
  });

  test("T23: nothing in a value or message starts a line or drives a terminal, with or without colours", () => {
    const hostile = '\x1b[2J\r\nERROR fake\u2028\u009b31m "quoted" \u202e\u{e0041}\t\0';
    for (const format of ["text", "json"] as const) {
      const { log, lines } = setup({ format });
      log.info(hostile, { value: hostile, bare: "\x1b[31mred" });
      const line = lines[0] as string;
      assert.match(line, /^[ -~]+$/, "printable ASCII only");
      if (format === "json") {
        const { message, value } = JSON.parse(line);
        assert.deepEqual([message, value], [hostile, hostile]);
      }
    }
    const { log, lines } = setup({ colors: () => true });
    log.error(hostile);
    assert.equal(lines[0]?.split("\x1b").length, 3, "only our two colour codes");
    assert.match(lines[0] as string, /\x1b\[31mERROR\x1b\[0m/);
  });

  test("a stack stays one line", () => {
    const { log, lines } = setup();
    log.error("Request failed by a defect", { error: "TypeError: x\n    at f (a.ts:1)\n    at g (b.ts:2)" });
    assert.deepEqual(lines[0]?.split(/[\r\n]/).length, 1);
    assert.ok(lines[0]?.endsWith('error="TypeError: x\\n    at f (a.ts:1)\\n    at g (b.ts:2)"'));
  });

  test("a failing write fails nobody", () => {
    const { log } = setup({
      write() {
        throw new Error("EPIPE");
      },
    });
    log.error("still here");
  });
});
