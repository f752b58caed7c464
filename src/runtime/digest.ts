/** SHA-256, and comparing secrets by it without telling by the time it takes how much of them was right (T21). */
import { builtin } from "./builtin.ts";

/** 32 bytes. */
export function sha256(text: string): Uint8Array {
  return builtin("node:crypto").hash("sha256", text, "buffer");
}

export function sha256Hex(text: string): string {
  return builtin("node:crypto").hash("sha256", text, "hex");
}

/** For the handshake of WebSocket, which proves nothing by it (RFC 6455 4.2.2). */
export function sha1Base64(text: string): string {
  return builtin("node:crypto").hash("sha1", text, "base64");
}

export function hmacSha256Hex(key: string, text: string): string {
  return builtin("node:crypto").createHmac("sha256", key).update(text).digest("hex");
}

/** Constant time for digests of equal length, which all of {@link sha256} are. */
export function equalDigests(a: Uint8Array, b: Uint8Array): boolean {
  return a.byteLength === b.byteLength && builtin("node:crypto").timingSafeEqual(a, b);
}

export function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

/** 32 bytes, over the parts one after the other. */
export function hmacSha256(key: string | Uint8Array, ...parts: readonly (string | Uint8Array)[]): Uint8Array {
  const hmac = builtin("node:crypto").createHmac("sha256", key);
  for (const part of parts) hmac.update(part);
  return hmac.digest();
}
