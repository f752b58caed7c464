import assert from "node:assert/strict";
import { test } from "node:test";
import { injectionPatterns } from "../../src/lib/injection-patterns.ts";
import { WordPlaces } from "../../src/lib/word-places.ts";
import { seededRandom } from "../fixtures/seeded-random.ts";

const next = seededRandom(31);
const random = (below: number) => Math.floor(next() * below);

test("WordPlaces: every place of every word, in whatever case, and none else", () => {
  const words = [...new Set([...injectionPatterns.flatMap((one) => one.words), "you", "yours", "our", "[a]", "{b}"])];
  const places = new WordPlaces(words.map((word) => [word, word]));
  for (let round = 0; round < 400; round++) {
    let text = "";
    while (text.length < 200) {
      const word = words[random(words.length)] as string;
      const piece = random(3) === 0 ? word.slice(random(2), word.length - random(3)) : word;
      text += (random(2) === 0 ? piece.toUpperCase() : piece) + ["", " ", "\u{1f511}", "é", "@", "\0"][random(6)];
    }
    const found: string[] = [];
    places.visit(text, (word, at) => found.push(`${at} ${word}`));
    const lower = text.toLowerCase();
    const expected = words.flatMap((word) => [...allPlaces(lower, word)].map((at) => `${at} ${word}`));
    assert.deepEqual(found.sort(), expected.sort(), JSON.stringify(text));
  }
});

test("WordPlaces: a word that means several things, at the ends of the text", () => {
  const places = new WordPlaces([
    ["end", 1],
    ["end", 2],
  ]);
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
