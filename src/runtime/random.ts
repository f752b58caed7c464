/** Random values for tokens, session ids and the like, from the system's own generator. */

/** `byteCount` random bytes as base64url: visible ASCII, good in headers and addresses. */
export function randomToken(byteCount: number): string {
  // A start would have to make `Buffer` for it.
  return randomBytes(byteCount).toBase64({ alphabet: "base64url", omitPadding: true });
}

export function randomBytes(count: number): Uint8Array<ArrayBuffer> {
  return crypto.getRandomValues(new Uint8Array(count));
}
