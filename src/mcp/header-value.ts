/**
 * Text as the value of an `Mcp-…` header (transports/streamable-http of 2026-07-28, "Value Encoding"): as it is where
 * every proxy leaves it alone, else as `=?base64?…?=` of its UTF-8.
 */
const prefix = "=?base64?";
const suffix = "?=";
const canonical = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
/** Visible ASCII with blanks inside only. */
const plain = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/;

export function encodeHeaderValue(text: string): string {
  if (plain.test(text) && !text.startsWith(prefix)) return text;
  const bytes = new TextEncoder().encode(text);
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return `${prefix}${btoa(binary)}${suffix}`;
}

/** `undefined` for a `=?base64?…?=` that is not canonical Base64 of UTF-8. */
export function decodeHeaderValue(value: string): string | undefined {
  const trimmed = value.replace(/^[\t ]+|[\t ]+$/g, "");
  if (!trimmed.startsWith(prefix) || !trimmed.endsWith(suffix)) return trimmed;
  const base64 = trimmed.slice(prefix.length, -suffix.length);
  if (!canonical.test(base64)) return undefined;
  try {
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
