import assert from "node:assert/strict";
import { test } from "node:test";
import { anyOf } from "../../src/lib/any-of.ts";
import { injectionPatterns } from "../../src/lib/injection-patterns.ts";

test("anyOf finds exactly the texts that include one of the words", () => {
  const lists = [
    ["a"],
    ["ab", "abc", "b", "zebra"],
    ["n't", "n’t", "<|", "inst]", "sys>>", "\\\\u003c", "a.b*c+(d)?[e]{f}^$/|"],
    injectionPatterns.flatMap(({ needs }) => needs.flat()),
  ];
  for (const words of lists) {
    const pattern = anyOf(words);
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
    for (const text of ["", ...texts])
      assert.equal(
        pattern.test(text),
        words.some((word) => text.includes(word)),
        text,
      );
  }
});
