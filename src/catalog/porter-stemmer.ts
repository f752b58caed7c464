/** The suffix stripper of M. F. Porter, "An algorithm for suffix stripping", 1980: `connections` and `connected` become `connect`. */

const step2 = pairs(
  "ational:ate tional:tion enci:ence anci:ance izer:ize bli:ble alli:al entli:ent eli:e ousli:ous ization:ize ation:ate " +
    "ator:ate alism:al iveness:ive fulness:ful ousness:ous aliti:al iviti:ive biliti:ble logi:log",
);
const step3 = pairs("icate:ic ative: alize:al iciti:ic ical:ic ful: ness:");
const step4 = pairs(
  "al: ance: ence: er: ic: able: ible: ant: ement: ment: ent: ion: ou: ism: ate: iti: ous: ive: ize:",
);
const longestWord = 40;

/** Stem of a lower-case English word; words with other characters, very short and very long ones come back as they are. */
export function stem(word: string): string {
  if (word.length < 3 || word.length > longestWord || !/^[a-z]+$/.test(word)) return word;
  let text = plural(word);
  text = pastOrProgressive(text);
  if (text.endsWith("y") && hasVowel(text.slice(0, -1))) text = `${text.slice(0, -1)}i`;
  text = replaceSuffix(text, step2, 0);
  text = replaceSuffix(text, step3, 0);
  text = replaceSuffix(text, step4, 1);
  if (text.endsWith("e")) {
    const base = text.slice(0, -1);
    const size = measure(base);
    if (size > 1 || (size === 1 && !endsShort(base))) text = base;
  }
  return text.endsWith("ll") && measure(text) > 1 ? text.slice(0, -1) : text;
}

function plural(word: string): string {
  if (word.endsWith("sses") || word.endsWith("ies")) return word.slice(0, -2);
  return word.endsWith("s") && !word.endsWith("ss") ? word.slice(0, -1) : word;
}

function pastOrProgressive(word: string): string {
  if (word.endsWith("eed")) return measure(word.slice(0, -3)) > 0 ? word.slice(0, -1) : word;
  const base = word.endsWith("ed") ? word.slice(0, -2) : word.endsWith("ing") ? word.slice(0, -3) : undefined;
  if (base === undefined || !hasVowel(base)) return word;
  if (/(at|bl|iz)$/.test(base)) return `${base}e`;
  if (endsDouble(base) && !/[lsz]$/.test(base)) return base.slice(0, -1);
  return measure(base) === 1 && endsShort(base) ? `${base}e` : base;
}

/** Applies the longest suffix that fits; only when what is left has a measure above `minMeasure`. */
function replaceSuffix(word: string, rules: readonly (readonly [string, string])[], minMeasure: number): string {
  for (const [suffix, replacement] of rules) {
    if (!word.endsWith(suffix)) continue;
    const base = word.slice(0, -suffix.length);
    if (measure(base) <= minMeasure || (suffix === "ion" && !/[st]$/.test(base))) return word;
    return base + replacement;
  }
  return word;
}

function isConsonant(word: string, at: number): boolean {
  const letter = word[at] as string;
  if (letter === "y") return at === 0 || !isConsonant(word, at - 1);
  return !"aeiou".includes(letter);
}

/** Number of vowel-consonant sequences: 0 in "tree", 1 in "trouble" without its end, 2 in "private". */
function measure(word: string): number {
  let count = 0;
  let afterVowel = false;
  for (let at = 0; at < word.length; at++) {
    const consonant = isConsonant(word, at);
    if (consonant && afterVowel) count++;
    afterVowel = !consonant;
  }
  return count;
}

function hasVowel(word: string): boolean {
  for (let at = 0; at < word.length; at++) if (!isConsonant(word, at)) return true;
  return false;
}

function endsDouble(word: string): boolean {
  const end = word.length - 1;
  return end > 0 && word[end] === word[end - 1] && isConsonant(word, end);
}

/** Consonant, vowel, consonant other than w, x, y: "hop", "fil". */
function endsShort(word: string): boolean {
  const end = word.length - 1;
  return (
    end >= 2 &&
    isConsonant(word, end) &&
    !isConsonant(word, end - 1) &&
    isConsonant(word, end - 2) &&
    !/[wxy]$/.test(word)
  );
}

function pairs(table: string): readonly (readonly [string, string])[] {
  return table
    .split(" ")
    .map((rule) => rule.split(":") as [string, string])
    .sort(([a], [b]) => b.length - a.length);
}
