import assert from "node:assert/strict";
import { test } from "node:test";
import { joinCommand, splitCommand } from "../../src/config/command-line.ts";

const cases: readonly [text: string, ...words: string[]][] = [
  ["npx -y pkg", "npx", "-y", "pkg"],
  ["  a \t b\n", "a", "b"],
  [`a "b c" 'd e' f"g"'h'`, "a", "b c", "d e", "fgh"],
  [`a "" ''`, "a", "", ""],
  [String.raw`a\ b "c\"d\\e\n" 'f\g' h\\i`, "a b", String.raw`c"d\e\n`, String.raw`f\g`, String.raw`h\i`],
  [`a \${B:-c d}/e \${F`, "a", `\${B:-c d}/e`, `\${F`],
  ["a;b | c && $(d) `e` > f", "a;b", "|", "c", "&&", "$(d)", "`e`", ">", "f"],
  [""],
];

for (const [text, ...words] of cases)
  test(`splitCommand: ${JSON.stringify(text)}`, () => {
    assert.deepEqual(splitCommand(text), { words });
  });

test("splitCommand: an open quote is told with its place", () => {
  assert.deepEqual(splitCommand(`a 'b`), { unclosedAt: 2 });
  assert.deepEqual(splitCommand(`"a\\"`), { unclosedAt: 0 });
});

test("joinCommand: what it joins is split into the same words", () => {
  for (const words of [["a", "b c", "", "it's", 'say "x"', "$HOME", `\${A:-b}`, "\\", "é", "a;b", "~/x", "*"], ["x"]])
    assert.deepEqual(splitCommand(joinCommand(words)), { words });
});
