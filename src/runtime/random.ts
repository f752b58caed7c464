/** Random values for tokens, session ids and the like, from the system's own generator. */

/** `byteCount` random bytes as base64url: visible ASCII, good in headers and addresses. */
export function randomToken(byteCount: number): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(byteCount))).toString("base64url");
}

export function randomBytes(count: number): Uint8Array<ArrayBuffer> {
  return crypto.getRandomValues(new Uint8Array(count));
}
