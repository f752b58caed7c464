import assert from "node:assert/strict";
import { test } from "node:test";
import { textDiff } from "../../src/commands/run/text-diff.ts";

const lines = (...numbers: (number | string)[]) => numbers.map((number) => `${number}\n`).join("");

test("textDiff: each change with three lines around it, far ones apart, nothing for equal texts", () => {
  const before = lines(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12);
  const after = lines(1, "two", 3, 4, 5, 6, 7, 8, 9, 10, 12, 13);
  assert.equal(
    textDiff(before, after, "f"),
    "--- f\n+++ f\n@@ -1 +1 @@\n 1\n-2\n+two\n 3\n 4\n 5\n@@ -8 +8 @@\n 8\n 9\n 10\n-11\n 12\n+13\n",
  );
  assert.equal(textDiff("", "a\r\n", "f"), "--- f\n+++ f\n@@ -1 +1 @@\n+a\n");
  assert.equal(textDiff(before, before, "f"), "");
});
