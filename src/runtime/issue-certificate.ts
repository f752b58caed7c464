/**
 * A small certificate authority (RFC 5280): EC P-256 keys, certificates of the authority, of servers and of clients, and
 * no more. The runtimes make keys and signatures, but have nothing that writes a certificate.
 */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
  X509Certificate,
} from "node:crypto";
import { isIP } from "node:net";
import {
  bitString,
  childrenOf,
  contentOf,
  type Der,
  der,
  objectId,
  sequence,
  tags,
  time,
  utf8String,
} from "../lib/der.ts";

/** PEM texts. */
export interface IssuedPair {
  readonly cert: string;
  readonly key: string;
}

export interface CertificateRequest {
  readonly commonName: string;
  readonly unit?: string | undefined;
  /** Names and IP addresses. */
  readonly hosts?: readonly string[];
  readonly uri?: string | undefined;
  readonly validityDays: number;
}

const oids = {
  commonName: "2.5.4.3",
  unit: "2.5.4.11",
  ecdsaWithSha256: "1.2.840.10045.4.3.2",
  subjectKeyId: "2.5.29.14",
  keyUsage: "2.5.29.15",
  alternativeNames: "2.5.29.17",
  basicConstraints: "2.5.29.19",
  authorityKeyId: "2.5.29.35",
  extendedKeyUsage: "2.5.29.37",
  serverAuth: "1.3.6.1.5.5.7.3.1",
  clientAuth: "1.3.6.1.5.5.7.3.2",
} as const;

const dayMs = 86_400_000;
/** Clocks differ. */
const earlierMs = 300_000;
const yes = der(tags.boolean, Uint8Array.of(0xff));

/** An authority that signs itself, and no other authority. */
export function createAuthority({ commonName, validityDays }: CertificateRequest): IssuedPair {
  const { publicKey, privateKey } = newKeys();
  const name = nameOf(commonName, undefined);
  const extensions = [
    extension(oids.basicConstraints, true, sequence(yes, der(tags.integer, Uint8Array.of(0)))),
    // keyCertSign and cRLSign.
    extension(oids.keyUsage, true, bitString(Uint8Array.of(0x06), 1)),
    extension(oids.subjectKeyId, false, der(tags.octetString, keyIdOf(publicKey))),
  ];
  const notAfter = new Date(Date.now() + validityDays * dayMs);
  return { cert: certificate(name, name, publicKey, notAfter, extensions, privateKey), key: pem(privateKey) };
}

/** @throws TypeError when the authority cannot be used, saying why */
export function issueCertificate(
  purpose: "server" | "client",
  request: CertificateRequest,
  authority: IssuedPair,
): IssuedPair {
  const { publicKey, privateKey } = newKeys();
  const issuer = readAuthority(authority);
  const alternatives = [
    ...(request.hosts ?? []).map((host) =>
      isIP(host) === 0 ? der(0x82, ascii(host, "host name")) : der(0x87, addressBytes(host)),
    ),
    ...(request.uri === undefined ? [] : [der(0x86, ascii(request.uri, "URI"))]),
  ];
  const usage = purpose === "server" ? oids.serverAuth : oids.clientAuth;
  const extensions = [
    extension(oids.basicConstraints, true, sequence()),
    // digitalSignature.
    extension(oids.keyUsage, true, bitString(Uint8Array.of(0x80), 7)),
    extension(oids.extendedKeyUsage, false, sequence(objectId(usage))),
    extension(oids.subjectKeyId, false, der(tags.octetString, keyIdOf(publicKey))),
    ...(issuer.keyId === undefined ? [] : [extension(oids.authorityKeyId, false, sequence(der(0x80, issuer.keyId)))]),
    ...(alternatives.length === 0 ? [] : [extension(oids.alternativeNames, false, sequence(...alternatives))]),
  ];
  const subject = nameOf(request.commonName, request.unit);
  // Nothing is good for longer than its authority.
  const notAfter = new Date(Math.min(Date.now() + request.validityDays * dayMs, issuer.notAfterMs));
  return { cert: certificate(issuer.name, subject, publicKey, notAfter, extensions, issuer.key), key: pem(privateKey) };
}

interface Authority {
  readonly key: KeyObject;
  /** Byte by byte as in its certificate: names are compared so. */
  readonly name: Der;
  readonly keyId: Uint8Array | undefined;
  readonly notAfterMs: number;
}

function readAuthority({ cert, key: keyText }: IssuedPair): Authority {
  const parsed = new X509Certificate(cert);
  const key = createPrivateKey(keyText);
  if (key.asymmetricKeyType !== "ec") throw new TypeError("the key of the authority is no elliptic-curve key");
  if (!spkiOf(createPublicKey(key)).equals(spkiOf(parsed.publicKey)))
    throw new TypeError("the key of the authority is not the one in its certificate");
  if (!parsed.ca) throw new TypeError("the certificate is not that of an authority");
  const notAfterMs = Date.parse(parsed.validTo);
  if (notAfterMs <= Date.now()) throw new TypeError("the certificate of the authority has expired");
  const [body = new Uint8Array()] = childrenOf(parsed.raw);
  const fields = childrenOf(body);
  const extensions = fields.find((field) => field[0] === 0xa3);
  const wanted = Buffer.from(objectId(oids.subjectKeyId));
  const found =
    extensions && childrenOf(childrenOf(extensions)[0] as Der).find((one) => wanted.equals(childrenOf(one)[0] as Der));
  const value = found && childrenOf(found).at(-1);
  // Version, serial number, algorithm, issuer, validity, subject.
  return { key, name: fields[5] as Der, keyId: value && contentOf(contentOf(value)), notAfterMs };
}

function certificate(
  issuer: Der,
  subject: Der,
  publicKey: KeyObject,
  notAfter: Date,
  extensions: readonly Der[],
  signer: KeyObject,
): string {
  const algorithm = sequence(objectId(oids.ecdsaWithSha256));
  const body = sequence(
    // Version 3.
    der(0xa0, der(tags.integer, Uint8Array.of(2))),
    der(tags.integer, serialNumber()),
    algorithm,
    issuer,
    sequence(time(new Date(Date.now() - earlierMs)), time(notAfter)),
    subject,
    spkiOf(publicKey),
    der(0xa3, sequence(...extensions)),
  );
  const text = Buffer.from(sequence(body, algorithm, bitString(sign("sha256", body, signer)))).toString("base64");
  return `-----BEGIN CERTIFICATE-----\n${text.replace(/.{1,64}/g, "$&\n")}-----END CERTIFICATE-----\n`;
}

function nameOf(commonName: string, unit: string | undefined): Der {
  const part = (oid: string, text: string) => der(tags.set, sequence(objectId(oid), utf8String(text)));
  return sequence(...(unit === undefined ? [] : [part(oids.unit, unit)]), part(oids.commonName, commonName));
}

function extension(oid: string, critical: boolean, value: Der): Der {
  return sequence(objectId(oid), ...(critical ? [yes] : []), der(tags.octetString, value));
}

/** Positive, without a leading zero, and nothing that anybody can foresee. */
function serialNumber(): Uint8Array {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] as number) & 0x3f) | 0x40;
  return bytes;
}

function newKeys() {
  return generateKeyPairSync("ec", { namedCurve: "P-256" });
}

function spkiOf(key: KeyObject): Buffer {
  return key.export({ type: "spki", format: "der" });
}

/** RFC 7093 2, method 1. */
function keyIdOf(key: KeyObject): Uint8Array {
  const bits = contentOf(childrenOf(spkiOf(key))[1] as Der).subarray(1);
  return createHash("sha256").update(bits).digest().subarray(0, 20);
}

function pem(key: KeyObject): string {
  return key.export({ type: "pkcs8", format: "pem" }) as string;
}

function ascii(text: string, what: string): Uint8Array {
  if (!/^[\x21-\x7e]+$/.test(text))
    throw new TypeError(`the ${what} "${text}" has characters that certificates cannot hold`);
  return new TextEncoder().encode(text);
}

function addressBytes(address: string): Uint8Array {
  if (isIP(address) === 4) return Uint8Array.from(address.split(".").map(Number));
  // The URL parser writes every spelling the same way: groups of hexadecimal digits, with one gap at most.
  const [head = "", tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split("::");
  const groups = (text: string) => (text === "" ? [] : text.split(":"));
  const [before, after] = [groups(head), groups(tail ?? "")];
  const all = [...before, ...Array.from({ length: 8 - before.length - after.length }, () => "0"), ...after];
  return Uint8Array.from(all.flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 0xff]));
}
