import assert from "node:assert/strict";
import { test } from "node:test";
import { setBackendSetting } from "../../src/config/edit-setting.ts";

const off = (text: string) => setBackendSetting(text, "gateway.yaml", "a", "enabled", false);

test("setBackendSetting: adds a line or changes the value, and touches nothing else", async () => {
  const cases: readonly [before: string, after: string][] = [
    [
      "# all\nbackends:\n  # about a\n  a:\n    # why\n    command: x   # this\n  b:\n    command: y\n",
      "# all\nbackends:\n  # about a\n  a:\n    # why\n    enabled: false\n    command: x   # this\n  b:\n    command: y\n",
    ],
    [
      "backends:\r\n    a:\r\n        command: x\r\n        enabled:   yes-not # no\r\n".replace("yes-not", "true"),
      "backends:\r\n    a:\r\n        command: x\r\n        enabled:   false # no\r\n",
    ],
    [
      "backends: {a: {command: x}, b: {command: y}}\n",
      "backends: {a: { enabled: false,command: x}, b: {command: y}}\n",
    ],
    [
      '{"backends": {"a": {"command": "x", "enabled": true}}}',
      '{"backends": {"a": {"command": "x", "enabled": false}}}',
    ],
    ["backends:\n  b: {command: y}\n  a: {}\n", "backends:\n  b: {command: y}\n  a: { enabled: false }\n"],
  ];
  for (const [before, after] of cases) assert.equal(await off(before), after);
});

test("setBackendSetting: says what it cannot change, and changes nothing", async () => {
  await assert.rejects(off("backends: {b: {command: y}}\n"), /gateway\.yaml has none of that name/);
  await assert.rejects(off("backends: [\n"), /gateway\.yaml:/);
  await assert.rejects(off("base: &base {command: x}\nbackends:\n  a: *base\n"), /without disturbing/);
});
