/** Keys and signatures of Ed25519 (RFC 8032), for what people sign ahead of time. */
import { builtin } from "./builtin.ts";

/** What stands before the 32 bytes of a public key in its DER form (RFC 8410, 4). */
const derHead = Buffer.from("302a300506032b6570032100", "hex");
const keyBytes = 32;

export interface SigningPair {
  /** PEM (PKCS #8). */
  readonly privateKey: string;
  /** Its 32 bytes in base64. */
  readonly publicKey: string;
}

export function newSigningPair(): SigningPair {
  const { privateKey } = builtin("node:crypto").generateKeyPairSync("ed25519");
  const pem = privateKey.export({ type: "pkcs8", format: "pem" }) as string;
  return { privateKey: pem, publicKey: publicKeyOf(pem) };
}

/** @throws Error when the text is not the PEM of an Ed25519 key */
export function publicKeyOf(privateKey: string): string {
  const { createPrivateKey, createPublicKey } = builtin("node:crypto");
  const key = createPrivateKey(privateKey);
  if (key.asymmetricKeyType !== "ed25519") throw new Error("it is not an Ed25519 key");
  const der = createPublicKey(key).export({ type: "spki", format: "der" });
  return Buffer.from(der.subarray(derHead.length)).toString("base64");
}

/** In base64. @throws Error as {@link publicKeyOf} */
export function signEd25519(privateKey: string, text: string): string {
  publicKeyOf(privateKey);
  return builtin("node:crypto").sign(null, Buffer.from(text), privateKey).toString("base64");
}

/** Whether the text is a public key in base64: its 32 bytes, or its DER form. */
export function isPublicKey(text: string): boolean {
  return derOf(text) !== undefined;
}

/** False too for what is no key or no signature. */
export function verifyEd25519(publicKey: string, text: string, signature: string): boolean {
  const der = derOf(publicKey);
  if (der === undefined) return false;
  const { createPublicKey, verify } = builtin("node:crypto");
  try {
    const key = createPublicKey({ key: der, format: "der", type: "spki" });
    return verify(null, Buffer.from(text), key, Buffer.from(signature, "base64"));
  } catch {
    return false;
  }
}

function derOf(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, "base64");
  if (bytes.length === keyBytes) return Buffer.concat([derHead, bytes]);
  return bytes.length === derHead.length + keyBytes && bytes.subarray(0, derHead.length).equals(derHead)
    ? bytes
    : undefined;
}
