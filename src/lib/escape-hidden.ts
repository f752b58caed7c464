/**
 * Shows characters that a terminal or a reader would obey or not see: controls and ANSI escapes, bidirectional
 * overrides, zero-width and tag characters, runs of variation selectors, lone surrogates (T23). Line feeds and tabs stay.
 */
const hidden =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ud800-\udfff\u{e0000}-\u{e01ef}]|[\ufe00-\ufe0f]{2,}/gu;

/** Replaces each such character by its `\uXXXX`; inside JSON text that leaves the same value. */
export function escapeHidden(text: string): string {
  return text.replace(hidden, (characters) => {
    let escaped = "";
    for (let at = 0; at < characters.length; at++)
      escaped += `\\u${characters.charCodeAt(at).toString(16).padStart(4, "0")}`;
    return escaped;
  });
}
