/** What becomes an event for operators and SIEMs, and what does not. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import * as v from "valibot";
import { controlPlaneSchema } from "../../src/config/control-plane/schema.ts";
import type { Config } from "../../src/config/schema.ts";
import type { Call } from "../../src/core/call.ts";
import type { CallRecord } from "../../src/core/call-record.ts";
import { anonymousCaller } from "../../src/core/caller.ts";
import { silentLogger } from "../../src/core/log.ts";
import { createControlPlane } from "../../src/gateway/control-plane.ts";
import { FakeClock } from "../fixtures/fake-clock.ts";

const call = {
  caller: anonymousCaller,
  upstream: "calc",
  method: "tools/call",
  params: { name: "add" },
} as unknown as Call;
const record = (outcome: CallRecord["outcome"]): CallRecord => ({
  requestId: "r-1",
  caller: "anonymous",
  agent: undefined,
  upstream: "calc",
  method: "tools/call",
  tool: "add",
  outcome,
  isError: false,
  characters: undefined,
  reason: outcome === "OK" ? undefined : "because of canary-4711",
  durationMs: 1,
});

function setUp(t: TestContext, transparency = false) {
  const folder = mkdtempSync(join(tmpdir(), "control-plane-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, "siem.ndjson");
  const section = (enabled: boolean) => v.parse(controlPlaneSchema, { export: { enabled, sink_path: path } });
  let config = {
    control_plane: section(true),
    security: { transparency_log: { enabled: transparency } },
  } as unknown as Config;
  const plane = createControlPlane({
    config: () => config,
    log: silentLogger,
    clock: new FakeClock(),
    journalPath: undefined,
    redact: (text) => text,
    noteProblem: () => () => {},
  });
  const lines = async () => {
    await plane.flush();
    try {
      return readFileSync(path, "utf8").split("\n").slice(0, -1);
    } catch {
      return [];
    }
  };
  const actions = async () => (await lines()).map((line) => JSON.parse(line).event.action);
  const setEnabled = (enabled: boolean) => {
    config = { ...config, control_plane: section(enabled) };
  };
  return { plane, lines, actions, setEnabled };
}

test("control plane: denied calls are told with their reason, other calls only where there is a record of calls", async (t) => {
  const outcomes = ["OK", "UPSTREAM_ERROR", "POLICY_DENIED", "FORBIDDEN", "TIMEOUT"] as const;
  const without = setUp(t);
  for (const outcome of outcomes) without.plane.onCall(record(outcome), call, undefined);
  assert.deepEqual(await without.actions(), ["call-denied", "call-denied"]);
  const { plane, lines } = setUp(t, true);
  for (const outcome of outcomes) plane.onCall(record(outcome), call, undefined);
  const told = (await lines()).map((line) => JSON.parse(line));
  assert.deepEqual(
    told.map(({ event, message }) => [event.action, event.outcome, event.code, message]),
    [
      ["call", "success", undefined, undefined],
      ["call", "failure", "UPSTREAM_ERROR", undefined],
      ["call-denied", "failure", "POLICY_DENIED", "because of canary-4711"],
      ["call-denied", "failure", "FORBIDDEN", "because of canary-4711"],
      ["call", "failure", "TIMEOUT", undefined],
    ],
  );
});

test("control plane: findings of the firewall say what was found where, and what was done", async (t) => {
  const { plane, lines } = setUp(t);
  const findings = [{ kind: "shell", rule: "chained-command", severity: "high", where: "arguments.path" }] as const;
  plane.onFindings({ direction: "request", action: "block", call, findings });
  const { event, message, mcp_gateway, user } = JSON.parse((await lines())[0] ?? "");
  assert.deepEqual([event.action, event.kind, event.code], ["firewall-finding", "alert", "block"]);
  assert.equal(message, "request: shell: chained-command in arguments.path");
  assert.deepEqual([mcp_gateway.server, mcp_gateway.tool, user.name], ["calc", "add", "anonymous"]);
});

test("control plane: switching the export off ends it after what waits, and on begins it; the journal goes on", async (t) => {
  const { plane, actions, setEnabled } = setUp(t);
  plane.note({ action: "server-killed", server: "calc" });
  assert.equal((await plane.exported())?.sources.control_plane.lag, 1);
  setEnabled(false);
  plane.note({ action: "server-revived", server: "calc" });
  plane.note({ action: "authentication-failed", failed: true });
  assert.equal(await plane.exported(), undefined);
  assert.deepEqual(await actions(), ["server-killed"]);
  setEnabled(true);
  plane.note({ action: "server-stopped", server: "calc" });
  assert.deepEqual(await actions(), ["server-killed", "server-stopped"]);
  const journal = (await plane.journal()).map(({ action }) => action);
  assert.deepEqual(journal, ["server-killed", "server-revived", "server-stopped"]);
});
