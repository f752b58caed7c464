/** Text under a key (AES-256-GCM): unreadable without it, and what was changed does not open. */
import { Buffer } from "node:buffer";
import { builtin } from "./builtin.ts";
import { sha256 } from "./digest.ts";

const nonceBytes = 12;
const tagBytes = 16;

/** @param keyText any text; its SHA-256 is the key */
export function encryptText(text: string, keyText: string): string {
  const { createCipheriv, randomBytes } = builtin("node:crypto");
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv("aes-256-gcm", sha256(keyText), nonce);
  const body = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), body]).toString("base64");
}

/** @throws Error when the key is another one, or the text is not what {@link encryptText} made */
export function decryptText(sealed: string, keyText: string): string {
  const bytes = Buffer.from(sealed, "base64");
  if (bytes.byteLength < nonceBytes + tagBytes) throw new Error("The sealed text is too short");
  const { createDecipheriv } = builtin("node:crypto");
  const decipher = createDecipheriv("aes-256-gcm", sha256(keyText), bytes.subarray(0, nonceBytes));
  decipher.setAuthTag(bytes.subarray(nonceBytes, nonceBytes + tagBytes));
  return Buffer.concat([decipher.update(bytes.subarray(nonceBytes + tagBytes)), decipher.final()]).toString("utf8");
}
