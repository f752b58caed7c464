/**
 * Texts as patterns of ASCII letters like them: in JavaScriptCore a text with a single character beyond Latin-1 has two
 * bytes for each, and patterns take six to thirty times as long on it.
 */

const beyond = /[^\u0000-\u00ff]/;
/** What patterns take for a blank (`\s`), and the apostrophe of typographers. */
const blanks = /[\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]/g;

/** The same ASCII text; in place of every other character some from U+0080 to U+00FF. The very same text where that is so. */
export function asLatin1(text: string): string {
  if (!beyond.test(text)) return text;
  const plain = text.replace(blanks, " ").replaceAll("\u00a0", " ").replaceAll("\u2019", "'");
  return Buffer.from(plain).toString("latin1");
}
