import assert from "node:assert/strict";
import { test } from "node:test";
import { anyOf, WordFinder } from "../../src/lib/any-of.ts";
import { injectionPatterns } from "../../src/lib/injection-patterns.ts";

test("anyOf and WordFinder find exactly the texts that include one of the words", () => {
  const lists = [
    ["a"],
    ["ab", "abc", "b", "zebra"],
    ["n't", "n’t", "<|", "inst]", "sys>>", "\\\\u003c", "a.b*c+(d)?[e]{f}^$/|"],
    injectionPatterns.flatMap(({ words }) => words),
  ];
  for (const words of lists) {
    const pattern = anyOf(words);
    const finder = new WordFinder(words);
    // Every word in pieces, doubled, cut, and next to every other.
    const texts = words.flatMap((word, at) => [
      word,
      `x${word}x`,
      word.slice(1),
      word.slice(0, -1),
      `${word.slice(0, -1)}${word}`,
      `${words[(at + 1) % words.length]?.slice(0, 2)}${word.slice(1)}`,
      [...word].reverse().join(""),
    ]);
    for (const text of ["", ...texts]) {
      const isFound = words.some((word) => text.includes(word));
      assert.equal(pattern.test(text), isFound, text);
      assert.equal(finder.test(text), isFound, text);
      assert.equal(finder.test(text.toUpperCase()), isFound, text);
    }
  }
});

test("WordFinder.around gives every place of a word with what stands around it, close ones together", () => {
  const finder = new WordFinder(["needle", "pin"]);
  const gap = "-".repeat(40);
  const text = `needle${gap}pin${gap}${gap}needle needle${gap}${gap}PIN`;
  const parts = [...finder.around(text, 10)];
  assert.deepEqual(
    parts.sort(),
    [
      `${"-".repeat(7)}pin${"-".repeat(10)}`,
      `${"-".repeat(7)}PIN`,
      `needle${"-".repeat(10)}`,
      `${"-".repeat(4)}needle needle${"-".repeat(10)}`,
    ].sort(),
  );
  assert.deepEqual([...finder.around(gap, 10)], []);
});
