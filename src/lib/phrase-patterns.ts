/**
 * Wordings in results, of whoever writes what a model will read. In whatever case; gaps are spaces or, in JSON text, escaped
 * line breaks. Linear: fixed words, bounded gaps.
 */
import { asLatin1 } from "./as-latin1.ts";
import { withoutBase64 } from "./without-base64.ts";
import { WordPlaces } from "./word-places/word-places.ts";

export const gap = '(?:[\\s*_"\'`>,:-]|\\\\[nrt"]){1,8}';

export interface PhrasePattern {
  readonly rule: string;
  /** In lower case. Each match has one of them, and is looked for only where one begins. */
  readonly words: readonly string[];
  /** Sticky: matches where the word begins, and looks at what stands in front of it. */
  readonly pattern: RegExp;
}

/** In JSON text the `n` of `\n` stands in front of the first word of a line. */
export const wordStart = "(?:\\b|(?<=\\\\[bfnrt]))";

/**
 * Tried only where one of the words begins, and so for nothing on texts without them.
 * @param match from the word on
 * @param before ends in front of the word
 */
export function wording(
  rule: string,
  words: readonly string[],
  match: RegExp | string,
  before: RegExp | string = wordStart,
): PhrasePattern {
  // What stands in front is looked at last: that takes longer.
  return { rule, words, pattern: new RegExp(`(?=${sourceOf(match)})(?<=${sourceOf(before)})`, "iy") };
}

function sourceOf(part: RegExp | string): string {
  return typeof part === "string" ? part : part.source;
}

/** One of the words, then the parts, with gaps between them. */
export function phrase(rule: string, words: string, ...parts: readonly string[]): PhrasePattern {
  return wording(rule, words.split(" "), [someOf(words), ...parts].join(gap));
}

/** Words are separated by blanks. */
export const someOf = (words: string) => `(?:${words.split(" ").join("|")})`;
export const optional = (words: string, most: number) => `(?:${someOf(words)}${gap}){0,${most}}`;

/** Looks for many wordings at once. */
export class PhraseSearch {
  readonly #places: WordPlaces<PhrasePattern>;

  constructor(patterns: readonly PhrasePattern[]) {
    this.#places = new WordPlaces(patterns.flatMap((one) => one.words.map((word) => [word, one] as const)));
  }

  /** Rules that the text breaks, each once. */
  rulesIn(whole: string): ReadonlySet<string> {
    const text = asLatin1(whole);
    const rules = new Set<string>();
    this.#places.visit(text, ({ rule, pattern }, at) => {
      if (rules.has(rule)) return;
      pattern.lastIndex = at;
      if (pattern.test(text)) rules.add(rule);
    });
    return rules;
  }
}

/** Wordings are looked for at both ends of a long result: what lies between no model reads as a whole. */
const headChars = 65_536;
const tailChars = 32_768;

/** What of a text is searched for wordings: all of one that is not long, but for the inside of images and files. */
export function readablePart(whole: string): string {
  const isLong = whole.length > headChars + tailChars;
  return withoutBase64(isLong ? `${whole.slice(0, headChars)}\n${whole.slice(-tailChars)}` : whole);
}
