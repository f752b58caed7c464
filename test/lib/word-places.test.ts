import assert from "node:assert/strict";
import { test } from "node:test";
import { injectionPatterns } from "../../src/lib/injection-patterns.ts";
import { WordPlaces } from "../../src/lib/word-places/word-places.ts";
import { seededRandom } from "../fixtures/seeded-random.ts";

const next = seededRandom(31);
const random = (below: number) => Math.floor(next() * below);

const words = [...new Set([...injectionPatterns.flatMap((one) => one.words), "you", "yours", "our", "[a]", "{b}"])];
const [quick, old] = [false, true].map(
  (isOld) =>
    new WordPlaces(
      words.map((word) => [word, word]),
      isOld,
    ),
) as [WordPlaces<string>, WordPlaces<string>];

/** Shorter and longer than what is looked at letter by letter, and around the pieces of long texts. */
const lengths = [0, 3, ...new Array<number>(200).fill(200), 1_024, 1_025, 1_040, 1_041, 32_767, 32_768, 32_770, 70_000];

for (const others of ["", " @-", "é\u00ff", "\u{1f511}\u2019"])
  test(`WordPlaces: every place of every word, in whatever case, and none else, among "${others}"`, () => {
    for (const length of lengths) {
      let text = "";
      while (text.length < length) {
        const word = words[random(words.length)] as string;
        const piece = random(3) === 0 ? word.slice(random(2), word.length - random(3)) : word;
        text += (random(2) === 0 ? piece.toUpperCase() : piece) + ["", " ", "\0", ...others][random(3 + others.length)];
      }
      text = text.slice(0, length);
      const lower = text.toLowerCase();
      const expected = words.flatMap((word) => [...allPlaces(lower, word)].map((at) => `${at} ${word}`)).sort();
      for (const places of [quick, old]) {
        const found: string[] = [];
        places.visit(text, (word, at) => found.push(`${at} ${word}`));
        assert.deepEqual(found.sort(), expected, JSON.stringify(text).slice(0, 300));
      }
    }
  });

test("WordPlaces: a word that means several things, at the ends of the text", () => {
  const places = new WordPlaces([1, 2].map((meaning) => ["end", meaning]));
  const found: [number, number][] = [];
  places.visit("end, the END", (meaning, at) => found.push([meaning, at]));
  assert.deepEqual(found, [
    [1, 0],
    [2, 0],
    [1, 9],
    [2, 9],
  ]);
  places.visit("", () => assert.fail());
  places.visit("en", () => assert.fail());
});

function* allPlaces(text: string, word: string): Generator<number> {
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) yield at;
}
