/**
 * Strict UTF-8. The runtime's strict decoder takes seven times as long as its lenient one (4.2 against 0.6 ms for
 * 10 MB, Bun 1.4.4), so it is asked only about texts in which the lenient one may have replaced something.
 */
const strict = new TextDecoder("utf-8", { fatal: true });
const lenient = new TextDecoder("utf-8");
const strictWithMark = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const lenientWithMark = new TextDecoder("utf-8", { ignoreBOM: true });
const replacement = "\ufffd";

/**
 * The text of the bytes; a byte order mark at their beginning is dropped, or kept as a character.
 * @throws TypeError when they are not UTF-8
 */
export function decodeUtf8(bytes: Uint8Array, mark: "drop" | "keep" = "drop"): string {
  const text = (mark === "drop" ? lenient : lenientWithMark).decode(bytes);
  return text.includes(replacement) ? (mark === "drop" ? strict : strictWithMark).decode(bytes) : text;
}
