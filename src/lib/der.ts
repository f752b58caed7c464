/** DER (X.690), as little of it as certificates need: values are written as bytes, and taken apart again. */

export type Der = Uint8Array;

export const tags = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  utf8: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/** One value: its tag, its length, and what is in it. */
export function der(tag: number, ...content: readonly Uint8Array[]): Der {
  const length = content.reduce((sum, part) => sum + part.byteLength, 0);
  const lengthBytes: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) lengthBytes.unshift(rest % 256);
  const head = length < 0x80 ? [tag, length] : [tag, 0x80 | lengthBytes.length, ...lengthBytes];
  const bytes = new Uint8Array(head.length + length);
  bytes.set(head);
  let at = head.length;
  for (const part of content) {
    bytes.set(part, at);
    at += part.byteLength;
  }
  return bytes;
}

export function sequence(...content: readonly Der[]): Der {
  return der(tags.sequence, ...content);
}

/** In the form `2.5.29.19`. */
export function objectId(dotted: string): Der {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  const bytes = [first * 40 + second, ...rest].flatMap((arc) => {
    const groups = [arc % 128];
    for (let high = Math.floor(arc / 128); high > 0; high = Math.floor(high / 128)) groups.unshift(0x80 | (high % 128));
    return groups;
  });
  return der(0x06, Uint8Array.from(bytes));
}

/** @param unusedBits of the last byte */
export function bitString(bytes: Uint8Array, unusedBits = 0): Der {
  return der(tags.bitString, Uint8Array.of(unusedBits), bytes);
}

export function utf8String(text: string): Der {
  return der(tags.utf8, new TextEncoder().encode(text));
}

/** As RFC 5280 4.1.2.5 wants it: with two digits for the year up to 2049, with four from then on. */
export function time(date: Date): Der {
  const digits = date.toISOString().replace(/[-:T]|\.\d+/g, "");
  const isShort = date.getUTCFullYear() < 2050;
  return der(
    isShort ? tags.utcTime : tags.generalizedTime,
    new TextEncoder().encode(isShort ? digits.slice(2) : digits),
  );
}

/** The values inside a value, each with its head. @throws RangeError when the bytes are cut off */
export function childrenOf(value: Der): Der[] {
  const children: Der[] = [];
  let { start, end } = extentOf(value, 0);
  while (start < end) {
    const next = extentOf(value, start).end;
    if (next > end) break;
    children.push(value.subarray(start, next));
    start = next;
  }
  if (start !== end) throw new RangeError("The value inside ends before the one around it");
  return children;
}

/** What is in a value, without its head. */
export function contentOf(value: Der): Uint8Array {
  const { start, end } = extentOf(value, 0);
  return value.subarray(start, end);
}

function extentOf(bytes: Uint8Array, at: number): { start: number; end: number } {
  const first = bytes[at + 1] ?? 0;
  const count = first < 0x80 ? 0 : first & 0x7f;
  let length = count === 0 ? first : 0;
  for (const byte of bytes.subarray(at + 2, at + 2 + count)) length = length * 256 + byte;
  const start = at + 2 + count;
  if (start + length > bytes.byteLength) throw new RangeError("The value is cut off");
  return { start, end: start + length };
}
