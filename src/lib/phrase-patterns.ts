/**
 * Wordings in results, of whoever writes what a model will read. In whatever case; gaps are spaces or, in JSON text, escaped
 * line breaks. Linear: fixed words, bounded gaps.
 */
import { WordFinder } from "./any-of.ts";
import { withoutBase64 } from "./without-base64.ts";

export const gap = '(?:[\\s*_"\'`>,:-]|\\\\[nrt"]){1,8}';
export interface PhrasePattern {
  readonly rule: string;
  /** One of these words is in every match. */
  readonly words: readonly string[];
  /** All of these find something in a text with a match: a quick look before the pattern. */
  readonly needs: readonly [WordFinder, ...WordFinder[]];
  readonly pattern: RegExp;
}

/** In JSON text the `n` of `\n` stands in front of the first word of a line. */
const wordStart = "(?:\\b|(?<=\\\\[bfnrt]))";

/** @param pattern a `\b` at its beginning means the start of a word in JSON text */
export function wording(
  rule: string,
  [words, ...others]: readonly [readonly string[], ...(readonly string[])[]],
  pattern: RegExp,
): PhrasePattern {
  const needs = [new WordFinder(words), ...others.map((some) => new WordFinder(some))] as const;
  return { rule, words, needs, pattern: new RegExp(pattern.source.replace(/^\\b/, wordStart), pattern.flags) };
}

/** Words in a row, each of several; words in `needs` stand in one text, apart. */
export function phrase(rule: string, [words, ...others]: readonly [string, ...string[]], ...parts: readonly string[]) {
  return wording(rule, [words.split(" "), ...others.map((some) => some.split(" "))], new RegExp(parts.join(gap), "i"));
}

export const someOf = (words: string) => `(?:${words.split(" ").join("|")})`;
export const optional = (words: string, most: number) => `(?:${someOf(words)}${gap}){0,${most}}`;

/** No match is longer. */
const longestMatch = 400;

/** Rules that the text breaks, each once. */
export function phraseRules(patterns: readonly PhrasePattern[], text: string): ReadonlySet<string> {
  const rules = new Set<string>();
  for (const { rule, needs, pattern } of patterns) {
    if (rules.has(rule) || !needs.every((words) => words.test(text))) continue;
    // Many patterns begin with a common word, but no match is far from a rare one.
    for (const part of needs[0].around(text, longestMatch)) {
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
