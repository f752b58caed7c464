/**
 * Wordings in results, of whoever writes what a model will read. In whatever case; gaps are spaces or, in JSON text, escaped
 * line breaks. Linear: fixed words, bounded gaps.
 */
import { WordFinder } from "./any-of.ts";
import { asLatin1 } from "./as-latin1.ts";
import { withoutBase64 } from "./without-base64.ts";

export const gap = '(?:[\\s*_"\'`>,:-]|\\\\[nrt"]){1,8}';
export interface PhrasePattern {
  readonly rule: string;
  /** One of these words is in every match. */
  readonly words: readonly string[];
  /**
   * All of these find something in a text with a match, the first one where the match is: a quick look before a pattern
   * that begins with common words. Others are quicker by themselves, and have none.
   */
  readonly needs: readonly WordFinder[];
  readonly pattern: RegExp;
}

/** In JSON text the `n` of `\n` stands in front of the first word of a line. */
const wordStart = "(?:\\b|(?<=\\\\[bfnrt]))";

/** @param pattern a `\b` it begins with is the start of a word, of the first one of a line too */
export function wording(
  rule: string,
  [words, ...others]: readonly [readonly string[], ...(readonly string[])[]],
  pattern: RegExp,
): PhrasePattern {
  const needs = [words, ...others].map((some) => new WordFinder(some));
  return { rule, words, needs, pattern: new RegExp(pattern.source.replace(/^\\b/, wordStart), pattern.flags) };
}

/** The pattern is as quick as a look for its words. */
export function atOnce(one: PhrasePattern): PhrasePattern {
  return { ...one, needs: [] };
}

/**
 * Words in a row, each of several, from the start of a word on; words in `needs` stand in one text, apart.
 * @param first of the words, looked for before what stands in front of it: that takes longer
 */
export function phrase(
  rule: string,
  [words, ...others]: readonly [string, ...string[]],
  first: string,
  ...parts: readonly string[]
): PhrasePattern {
  const pattern = new RegExp([`${first}(?<=${wordStart}${first})`, ...parts].join(gap), "i");
  return wording(rule, [words.split(" "), ...others.map((some) => some.split(" "))], pattern);
}

export const someOf = (words: string) => `(?:${words.split(" ").join("|")})`;
export const optional = (words: string, most: number) => `(?:${someOf(words)}${gap}){0,${most}}`;

/** No match is longer. */
const longestMatch = 400;

/** Rules that the text breaks, each once. */
export function phraseRules(patterns: readonly PhrasePattern[], whole: string): ReadonlySet<string> {
  const text = asLatin1(whole);
  const rules = new Set<string>();
  for (const { rule, needs, pattern } of patterns) {
    if (rules.has(rule) || !needs.every((words) => words.test(text))) continue;
    const [rare] = needs;
    // No match is far from a rare word.
    const parts = rare === undefined ? [text] : rare.around(text, longestMatch);
    for (const part of parts) {
      if (!pattern.test(part)) continue;
      rules.add(rule);
      break;
    }
  }
  return rules;
}

/** Wordings are looked for at both ends of a long result: what lies between no model reads as a whole. */
const headChars = 65_536;
const tailChars = 32_768;

/** What of a text is searched for wordings: all of one that is not long, but for the inside of images and files. */
export function readablePart(whole: string): string {
  const isLong = whole.length > headChars + tailChars;
  return withoutBase64(isLong ? `${whole.slice(0, headChars)}\n${whole.slice(-tailChars)}` : whole);
}
