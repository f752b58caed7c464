import assert from "node:assert/strict";
import { test } from "node:test";
import { characterSet, endOfRun, nextRun } from "../../src/lib/character-runs.ts";
import { seededRandom } from "../fixtures/seeded-random.ts";

test("nextRun and endOfRun: what a pattern finds that looks at every character", () => {
  const next = seededRandom(11);
  const random = (below: number) => Math.floor(next() * below);
  const set = characterSet("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/_.~=-");
  const characters = [..."aZ09+/_.~=-", ..."abcdefgh", " ", '"', "\\", "é", "漢", "\u{1f511}"];
  for (let round = 0; round < 4_000; round++) {
    let text = "";
    for (let left = random(80); left > 0; left--) text += characters[random(characters.length)];
    const least = 1 + random(16);
    const found: string[] = [];
    let to = 0;
    for (let from = nextRun(text, 0, least, set); from >= 0; from = nextRun(text, to + 1, least, set)) {
      to = endOfRun(text, from, set);
      found.push(`${from}-${to}`);
    }
    const expected = [...text.matchAll(new RegExp(`[A-Za-z0-9+/_.~=-]{${least},}`, "g"))];
    assert.deepEqual(
      found,
      expected.map(({ 0: word, index }) => `${index}-${index + word.length}`),
      JSON.stringify({ text, least }),
    );
  }
});
