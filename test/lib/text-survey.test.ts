import assert from "node:assert/strict";
import { test } from "node:test";
import { beginSurvey, decodeSurveyed, longWords, surveyText } from "../../src/lib/text-survey/text-survey.ts";
import { seededRandom } from "../fixtures/seeded-random.ts";

const next = seededRandom(23);
const random = (below: number) => Math.floor(next() * below);
const oneOf = <T>(list: readonly T[]) => list[random(list.length)] as T;

/** Around what the survey takes at once: 64 bytes, 65,536 characters. */
const lengths = [16_385, 16_448, 65_535, 65_536, 65_537, 131_100];

function randomText(length: number, pieces: readonly string[]): string {
  let text = "";
  while (text.length < length) text += oneOf(pieces).repeat(1 + random(4));
  return text.slice(0, length);
}

function placesOf(text: string): number[] {
  return [...text.matchAll(/[A-Za-z0-9_\-+./=~]{15,}/g)].flatMap(({ 0: word, index }) => [index, index + word.length]);
}

const kinds = {
  ASCII: [
    "word",
    "a",
    " ",
    "Z9_",
    "-----",
    "+./=~",
    '"',
    "\\",
    "a long line of prose. ",
    "0123456789abcde",
    "@",
    "[`{,:",
  ],
  "Latin-1": ["word", "é", " ", "0123456789abcde", "ÿ\u0080", "a-long-word-with-dashes"],
  everything: ["word", "日本", "\u{1f511}", "\ud800", "\udc00", "é", " ", "0123456789abcde", "\u2019", "-----"],
};

for (const [kind, pieces] of Object.entries(kinds))
  test(`longWords: what a pattern finds that looks at every character, in ${kind}`, () => {
    for (const length of [0, 14, 15, 300, 16_384, ...lengths, ...lengths]) {
      const text = randomText(length, pieces);
      assert.equal(surveyText(text) !== undefined, length > 16_384, "long texts are surveyed here");
      assert.deepEqual(Array.from(longWords(text)), placesOf(text), `${length}: ${JSON.stringify(text).slice(0, 200)}`);
    }
  });

test("longWords: one word over many pieces, and very many words", () => {
  for (const text of ["w".repeat(200_000), `${"w".repeat(70_000)} ${"w".repeat(64)}`, "fifteen-letters ".repeat(9_000)])
    assert.deepEqual(Array.from(longWords(text)), placesOf(text));
});

test("decodeSurveyed: the text, and the survey of it", () => {
  for (const pieces of Object.values(kinds))
    for (const length of lengths) {
      const text = randomText(length, pieces).toWellFormed();
      const { text: decoded, survey } = decodeSurveyed(new TextEncoder().encode(text));
      assert.equal(decoded, text);
      assert.deepEqual(Array.from(survey?.longWords ?? []), placesOf(text));
    }
  const long = `${"prose ".repeat(5_000)}fifteen-letters`;
  const marked = decodeSurveyed(new TextEncoder().encode(`\ufeff${long}`));
  assert.deepEqual([marked.text, marked.survey], [long, undefined], "a mark is not in the text");
  assert.throws(() => decodeSurveyed(Buffer.concat([Buffer.from(long), Buffer.from([0xc3, 0x28])])), TypeError);
  assert.deepEqual(decodeSurveyed(Buffer.from("short é")), { text: "short é", survey: undefined });
});

test("Surveyor: bytes as they come, of several texts at once", () => {
  for (let round = 0; round < 30; round++) {
    const started = Object.values(kinds).map((pieces) => {
      const text = randomText(oneOf(lengths), pieces).toWellFormed();
      const bytes = new TextEncoder().encode(text);
      return { text, bytes, at: 0, surveyor: beginSurvey(bytes.byteLength) };
    });
    for (let open = [...started]; open.length > 0; open = open.filter(({ at, bytes }) => at < bytes.byteLength)) {
      const one = oneOf(open);
      const end = one.at + random(oneOf([2, 100, 70_000]));
      one.surveyor?.push(one.bytes.subarray(one.at, end));
      one.at = end;
    }
    for (const { text, bytes, surveyor } of started) {
      const { text: decoded, survey } = decodeSurveyed(bytes, surveyor);
      assert.equal(decoded, text);
      assert.deepEqual(Array.from(survey?.longWords ?? []), placesOf(text));
      assert.equal(survey?.skeleton, surveyText(text)?.skeleton);
    }
  }
});

test("TextSurvey.cut: as a survey of the part", () => {
  for (let round = 0; round < 40; round++) {
    const part = randomJson();
    const whole = `{"before-the-part":"long enough to see","part":${part},"behind-the-part":"${"z".repeat(20_000)}"}`;
    const from = whole.indexOf(part);
    const cut = surveyText(whole)?.cut(part, from, from + part.length);
    assert.deepEqual(Array.from(cut?.longWords ?? []), placesOf(part));
    assert.equal(cut?.skeleton, surveyText(part)?.skeleton ?? part);
  }
});

function randomJson(): string {
  const characters = [
    "prose ",
    "0123456789abcdef",
    "é",
    "漢",
    "\u{1f511}",
    "\n",
    '"',
    "\\",
    "/",
    "\t",
    "\u0001",
    "\u2028",
  ];
  const string = () => randomText(oneOf([0, 5, 200, 16_384, 16_385, 16_386, 70_000]), characters);
  const plain = () => randomText(oneOf([20, 16_390, 90_000]), characters.slice(0, 6));
  return JSON.stringify({
    [plain().slice(0, 3)]: plain(),
    list: [string(), 1, null, plain()],
    [string()]: { deep: plain() },
  });
}

/** The strings that come out empty. */
function emptied(value: unknown, was: unknown): string[] {
  if (typeof value === "string") return value === was ? [] : [was as string];
  if (typeof value !== "object" || value === null) return [];
  const [now, before] = [Object.entries(value), Object.entries(was as object)];
  assert.equal(now.length, before.length);
  return now.flatMap(([key, inner], at) => {
    const [wasKey, wasInner] = before[at] as [string, unknown];
    return [...emptied(key, wasKey), ...emptied(inner, wasInner)];
  });
}

test("skeleton: nothing but long strings without \\u is emptied", () => {
  let count = 0;
  for (let round = 0; round < 60; round++) {
    const text = randomJson();
    const { skeleton = text } = surveyText(text) ?? {};
    const strings = emptied(JSON.parse(skeleton), JSON.parse(text));
    for (const string of strings) {
      const written = JSON.stringify(string).slice(1, -1);
      assert.ok(written.length >= 16_384, `${written.length} characters`);
      assert.ok(!written.includes("\\u"));
    }
    count += strings.length;
  }
  assert.ok(count > 60, `${count} strings were emptied`);
});

test("skeleton: valid JSON exactly if the text is", () => {
  const isValid = (text: string) => {
    try {
      JSON.parse(text);
      return true;
    } catch {
      return false;
    }
  };
  let broken = 0;
  for (let round = 0; round < 300; round++) {
    let text = randomJson();
    const at = random(text.length);
    text =
      text.slice(0, at) +
      oneOf(['"', "\\", "\\x", "\\u12", "\n", "\u0000", "", "}", "\\\\", "\\n"]) +
      text.slice(at + random(3));
    const survey = surveyText(text);
    if (survey === undefined) continue;
    const valid = isValid(text);
    if (!valid) broken++;
    assert.equal(
      isValid(survey.skeleton),
      valid,
      `at ${at}: ${JSON.stringify(text.slice(Math.max(0, at - 40), at + 40))}`,
    );
  }
  assert.ok(broken > 50, `${broken} texts were no JSON`);
});
