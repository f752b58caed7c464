import assert from "node:assert/strict";
import { test } from "node:test";
import { toolPolicyStage } from "../../src/stages/tool-policy/tool-policy-stage.ts";
import { answers, makeCall, off, on, pong, security } from "./fixture.ts";

type Changes = Readonly<Record<string, unknown>>;

async function verdicts(changes: Changes, tools: readonly string[]): Promise<string[]> {
  const stage = on(toolPolicyStage(security({ tool_policy: changes }).tool_policy));
  const allowed: string[] = [];
  for (const name of tools) {
    const answer = await stage(makeCall({ params: { name } }), answers).catch((error) => error.code);
    assert.ok(answer === pong || answer === "POLICY_DENIED", name);
    if (answer === pong) allowed.push(name);
  }
  return allowed;
}

test("toolPolicyStage: dangerous names are denied by default, whole names only", async () => {
  const tools = [
    "read_file",
    "write_file",
    "rewrite_file",
    "write_file_2",
    "run_command",
    "eval",
    "evaluate",
    "reboot",
  ];
  assert.deepEqual(await verdicts({}, tools), ["read_file", "rewrite_file", "write_file_2", "evaluate"]);
  assert.equal(toolPolicyStage(security({ tool_policy: { use_default_deny: false } }).tool_policy), undefined);
  assert.equal(toolPolicyStage(security({ tool_policy: off }).tool_policy), undefined);
});

test("toolPolicyStage: allow wins over deny and the default, by tool and by server:tool", async () => {
  const tools = ["write_file", "delete_file", "issue_create", "issue_delete"];
  const changes = { allow: ["files:write_file", "issue_create"], deny: ["issue_*", "other:*"] };
  assert.deepEqual(await verdicts(changes, tools), ["write_file", "issue_create"]);
  assert.deepEqual(await verdicts({ default_action: "deny", allow: ["files:issue_*"] }, tools), [
    "issue_create",
    "issue_delete",
  ]);
});

test("toolPolicyStage: the refusal names the setting that allows the tool, and other methods pass", async () => {
  const stage = on(toolPolicyStage(security().tool_policy));
  await assert.rejects(stage(makeCall({ params: { name: "write_file" } }), answers), {
    code: "POLICY_DENIED",
    hint: 'An operator can allow it with security.tool_policy.allow: ["files:write_file"]',
  });
  assert.equal(await stage(makeCall({ method: "prompts/get", params: { name: "write_file" } }), answers), pong);
});
