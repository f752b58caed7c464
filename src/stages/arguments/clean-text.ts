/**
 * Takes out of text what no reader sees and some programs obey: controls and ANSI escapes, zero-width and tag
 * characters, bidirectional overrides, line separators (T23). Joiners stay where a script or an emoji needs them, tags
 * where they are the flag of a region.
 */

/** Line feed, carriage return and tab are text. NUL is not taken out: the stage refuses it. */
const hidden =
  /[\u0001-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u180e\u200b-\u200d\u2028-\u202e\u2060-\u2069\ufeff\u{e0000}-\u{e007f}]/u;
const hiddenRuns = new RegExp(`${hidden.source}+`, "gu");

const flagTags = /^[\u{e0030}-\u{e0039}\u{e0061}-\u{e007a}]{1,6}\u{e007f}$/u;
const blackFlag = "\u{1f3f4}";
const joiner = /^[\u200c\u200d]$/;
const needsJoiner =
  /(?:[\p{Script=Arabic}\p{Script=Syriac}\p{Script=Mongolian}\p{Script=Devanagari}\p{Script=Bengali}\p{Script=Gurmukhi}\p{Script=Gujarati}\p{Script=Oriya}\p{Script=Tamil}\p{Script=Telugu}\p{Script=Kannada}\p{Script=Malayalam}\p{Script=Sinhala}\p{Script=Khmer}\p{Script=Myanmar}\p{M}]|\p{Extended_Pictographic}|\p{Emoji_Modifier})$/u;

function holdsHidden(text: string): boolean {
  return hidden.test(text);
}

export function cleanText(text: string): string {
  if (!holdsHidden(text)) return text;
  return text.replace(hiddenRuns, (run, at: number) => {
    // Two units reach over a surrogate pair.
    const before = text.slice(Math.max(0, at - 2), at);
    if (joiner.test(run) && needsJoiner.test(before)) return run;
    return flagTags.test(run) && before === blackFlag ? run : "";
  });
}
