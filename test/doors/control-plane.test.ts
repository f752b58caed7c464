/** The control plane: what it shows, decisions and their reasons, and that nothing secret is in it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { JsonObject } from "../../src/lib/json.ts";
import type { ServerView } from "../../src/meta/meta-tool.ts";
import { fakeGateway } from "./fake-gateway.ts";
import { testApp } from "./http-client.ts";

const digest = "d".repeat(64);

function setUp() {
  const gateway = fakeGateway({
    auth: {
      enabled: true,
      bearer_token: "the-operator",
      api_keys: [{ key: "s3cret-key-1", name: "app", backends: ["calc"] }, { key: "s3cret-key-2" }],
      users: [{ name: "eve", password: "s3cret-password" }],
    },
  });
  const status = { state: { is: "dormant" }, inFlight: 0, restartCount: 0, healthy: true } as ServerView["status"];
  const view = { description: "", kind: "stdio", enabled: true, circuit: "closed", status } as const;
  gateway.serverViews = [
    { ...view, name: "calc", killed: true },
    { ...view, name: "web" },
    { ...view, name: "off", enabled: false },
  ];
  Object.assign(gateway, { waitingForLogin: new Set(["web"]) });
  Object.assign(gateway.config, { cost_governance: { enabled: false }, routing_profiles: {} });
  gateway.catalog.list = ((server: string) => (server === "calc" ? [{ name: "add" }] : undefined)) as never;
  const held = { server: "calc", tool: "sum", digest, definition: {}, seenAt: 0, findings: [], approved: { a: 1 } };
  const approvals: unknown[] = [];
  gateway.heldTools = async () => [held];
  gateway.approveTool = async (...approval) => {
    approvals.push(approval);
    return "approved";
  };
  const switched: unknown[] = [];
  Object.assign(gateway, {
    killSwitches: {
      ...gateway.killSwitches,
      kill: (...args: unknown[]) => void switched.push(["kill", ...args]),
      revive: (...args: unknown[]) => void switched.push(["revive", ...args]),
    },
  });
  const app = testApp(gateway);
  const headers = { authorization: "Bearer the-operator", "content-type": "application/json" };
  const read = async (path = "/ui/api/control-plane") => {
    const response = await app.ask(path, { headers });
    return { status: response.status, body: (await response.json()) as JsonObject };
  };
  const decide = async (body: object) => {
    const all = {
      target_kind: "tool",
      target_id: `calc:sum@${digest}`,
      decision: "approve",
      reason: "checked",
      ...body,
    };
    const response = await app.ask("/ui/api/control-plane/decisions", { method: "POST", headers, body: all });
    return { status: response.status, ...((await response.json()) as { ok: boolean; reason_code: string }) };
  };
  return { gateway, read, decide, approvals, switched };
}

test("control plane: who asks, what there is, what waits for a decision; no secret", async () => {
  const { read } = setUp();
  const { status, body } = await read();
  assert.equal(status, 200);
  const { actor, mutation_enabled, export_configured, inventory, runtime, decision_queue } = body as Record<
    string,
    unknown
  >;
  assert.deepEqual((actor as JsonObject)["role"], "admin");
  assert.deepEqual([mutation_enabled, export_configured], [true, false]);
  const { tools, servers, callers } = inventory as Record<string, JsonObject[]>;
  assert.equal(servers?.length, 3);
  assert.match(String(tools?.[0]?.["definition_sha256"]), /^[0-9a-f]{64}$/);
  assert.deepEqual(callers?.map(({ kind, name }) => [kind, name]).slice(0, 2), [
    ["bearer", "bearer"],
    ["key", "app"],
  ]);
  assert.equal(callers?.length, 4);
  assert.equal((runtime as { servers: JsonObject[] }).servers[0]?.["killed"], true);
  assert.deepEqual(
    (decision_queue as JsonObject[]).map(({ target_kind, target_id }) => [target_kind, target_id]),
    [
      ["tool", `calc:sum@${digest}`],
      ["server", "calc"],
      ["login", "web"],
    ],
  );
  const text = JSON.stringify(body);
  for (const secret of ["s3cret", "the-operator"]) assert.ok(!text.includes(secret), text);
});

test("control plane: a decision without its reason, or on nothing, changes nothing and says why", async () => {
  const { decide, approvals, switched, gateway } = setUp();
  const cases: [object, number, string][] = [
    [{ reason: undefined }, 422, "reason_required"],
    [{ reason: " " }, 422, "reason_required"],
    [{ reason: "x".repeat(501) }, 422, "reason_required"],
    [{ rollback: 7 }, 400, "invalid_request"],
    [{ target_kind: "grant" }, 400, "invalid_request"],
    [{ decision: "maybe" }, 400, "invalid_request"],
    [{ target_id: 7 }, 400, "invalid_request"],
    [{ target_id: "calc:other@x" }, 404, "not_found"],
    [{ target_id: "calc:sum" }, 404, "not_found"],
    [{ target_id: `calc:sum@${"e".repeat(64)}` }, 409, "changed"],
    [{ target_kind: "server", target_id: "none" }, 404, "not_found"],
    [{ target_kind: "server", target_id: "off" }, 404, "not_found"],
    [{ target_kind: "server", target_id: "web" }, 409, "already_decided"],
  ];
  for (const [body, status, code] of cases) {
    const answer = await decide(body);
    assert.deepEqual([answer.status, answer.ok, answer.reason_code], [status, false, code], JSON.stringify(body));
  }
  assert.deepEqual([approvals, switched, await gateway.controlPlane.journal()], [[], [], []]);
});

test("control plane: approval goes to the definition that was looked at, refusal is kept and shown with its reason", async () => {
  const { decide, approvals, switched, read } = setUp();
  const by = { name: "bearer", role: "admin" };
  assert.equal((await decide({ decision: "deny", reason: "it lies", rollback: "approve it" })).reason_code, "denied");
  const { decision_queue, journal } = (await read()).body as Record<string, JsonObject[]>;
  const denied = decision_queue?.[0]?.["denied"] as JsonObject;
  assert.deepEqual([denied["reason"], denied["rollback"], denied["digest"]], ["it lies", "approve it", digest]);
  assert.deepEqual((denied["by"] as JsonObject)["name"], "bearer");
  assert.equal(journal?.length, 1);
  assert.deepEqual(await decide({}).then(({ ok, reason_code }) => [ok, reason_code]), [true, "approved"]);
  const [server, tool, approved, act] = approvals[0] as [string, string, string, { by: object; reason: string }];
  assert.deepEqual([server, tool, approved, act.reason], ["calc", "sum", digest, "checked"]);
  assert.equal((act.by as typeof by).name, "bearer");
  await decide({ target_kind: "server", target_id: "calc" });
  await decide({ target_kind: "server", target_id: "web", decision: "deny" });
  assert.deepEqual(
    switched.map((one) => (one as unknown[]).slice(0, 2)),
    [
      ["revive", "calc"],
      ["kill", "web"],
    ],
  );
});

test("control plane: while nothing is exported there is no status of an export", async () => {
  const { read } = setUp();
  assert.equal((await read("/ui/api/control-plane/export-status")).status, 404);
});
