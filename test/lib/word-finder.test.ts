import assert from "node:assert/strict";
import { test } from "node:test";
import { WordFinder } from "../../src/lib/word-finder.ts";

test("WordFinder finds exactly the texts that include one of the words, in whatever case", () => {
  const lists = [
    ["abcd"],
    ["account", "routing", "sort"],
    ["zebra", "n’t-", "a.b*c+(d)?[e]{f}^$/|", "\\\\u003c", "instruction", "<|im_start|>"],
  ];
  for (const words of lists) {
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
      assert.equal(finder.test(text), isFound, text);
      assert.equal(finder.test(text.toUpperCase()), isFound, text);
    }
  }
});
