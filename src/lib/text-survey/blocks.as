/**
 * AssemblyScript: the inner loop of text-survey.ts, 64 bytes of UTF-8 at once. `node deploy/with-bun.mjs deploy/generate.ts`
 * makes blocks-wasm.ts of it.
 *
 * Memory: three tables of 16 bytes, then the bytes, then what is found. A byte belongs to a class of ASCII characters
 * where `highBit[byte >> 4] & class[byte & 15]` is not 0 ("vectorized classification", simdjson, Langdale and Lemire 2019).
 */
export const wordTableAt: usize = 0;
export const escapeTableAt: usize = 16;
export const highBitAt: usize = 32;
export const bytesAt: usize = 64;
export const mostBytes: usize = 196_672;
/** Pairs of u32: where a long word begins and where it ends. There is no more than one in 16 bytes. */
export const wordsAt: usize = bytesAt + mostBytes;
/** Pairs of u32: the quotation marks of a long string. */
export const stringsAt: usize = wordsAt + (mostBytes >> 1);
/** More long ones do not end in so many bytes. */
const mostStrings: i32 = 16;

const blockBytes: usize = 64;
const oddBits: u64 = 0xaaaa_aaaa_aaaa_aaaa;

/** UTF-16 code units so far. */
export let units: i32 = 0;
export let words: i32 = 0;
export let strings: i32 = 0;
export let hasControls: i32 = 0;
export let isAscii: i32 = 1;

/** As in text-survey.ts; {@link noteWords} is made for it. */
const shortestWord: i32 = 15;
let longString: i32 = 0;
/** Quotation marks that are still looked at: a text of very many strings has no long ones. */
let marksLeft: i32 = 0;
/** How much of a word the last block ended with: each is a character of one unit. */
let wordBytes: i32 = 0;
/** 1 where the last byte escapes the next one. */
let isEscaped: u64 = 0;
/** Units before the quotation mark that opened the string; negative between strings. */
let openedAt: i32 = -1;
/** Whether this string has an escape that is not of one letter. */
let hasLongEscape: bool = false;

export function begin(stringLength: i32, marks: i32): void {
  longString = stringLength;
  marksLeft = marks;
  units = 0;
  words = 0;
  strings = 0;
  hasControls = 0;
  isAscii = 1;
  wordBytes = 0;
  isEscaped = 0;
  openedAt = -1;
}

/** `length` must be a multiple of 64, at most `mostBytes`; `words` and `strings` are those of these bytes afterwards. */
export function survey(length: usize): void {
  words = 0;
  strings = 0;
  const wordTable = v128.load(wordTableAt);
  const escapeTable = v128.load(escapeTableAt);
  const none = i8x16.splat(0);
  const blank = i8x16.splat(0x20);
  const backslash = i8x16.splat(0x5c);
  const quote = i8x16.splat(0x22);
  let controls = none;
  for (let at = bytesAt; at < bytesAt + length; at += blockBytes) {
    const a = v128.load(at);
    const b = v128.load(at, 16);
    const c = v128.load(at, 32);
    const d = v128.load(at, 48);

    controls = v128.or(controls, i8x16.lt_u(i8x16.min_u(i8x16.min_u(a, b), i8x16.min_u(c, d)), blank));

    const escapes = bits(i8x16.eq(a, backslash), i8x16.eq(b, backslash), i8x16.eq(c, backslash), i8x16.eq(d, backslash));
    const escaped = afterEscapes(escapes);
    const quotes = bits(i8x16.eq(a, quote), i8x16.eq(b, quote), i8x16.eq(c, quote), i8x16.eq(d, quote));
    const long = escaped == 0 ? 0 : escaped & ~inClass(escapeTable, a, b, c, d);

    const isPlain = i8x16.bitmask(v128.or(v128.or(a, b), v128.or(c, d))) == 0;
    // Each character has one byte that continues none, and those of two units in UTF-16 begin with 0xf0 or more.
    const more: u64 = isPlain ? 0 : ~atLeast(-64, a, b, c, d);
    const pairs: u64 = isPlain ? 0 : ~more & fourByteStarts(a, b, c, d);
    noteWords(inClass(wordTable, a, b, c, d), more, pairs);
    noteStrings(quotes & ~escaped, long, more, pairs);
    units += 64;
    if (isPlain) continue;
    units += <i32>popcnt(pairs) - <i32>popcnt(more);
    isAscii = 0;
  }
  if (v128.any_true(controls)) hasControls = 1;
}

@inline
function bits(a: v128, b: v128, c: v128, d: v128): u64 {
  return (
    <u64>i8x16.bitmask(a) |
    (<u64>i8x16.bitmask(b) << 16) |
    (<u64>i8x16.bitmask(c) << 32) |
    (<u64>i8x16.bitmask(d) << 48)
  );
}

@inline
function inClass(table: v128, a: v128, b: v128, c: v128, d: v128): u64 {
  return ~bits(outside(table, a), outside(table, b), outside(table, c), outside(table, d));
}

@inline
function outside(table: v128, bytes: v128): v128 {
  const low = i8x16.swizzle(table, v128.and(bytes, i8x16.splat(15)));
  const high = i8x16.swizzle(v128.load(highBitAt), v128.and(i16x8.shr_u(bytes, 4), i8x16.splat(15)));
  return i8x16.eq(v128.and(low, high), i8x16.splat(0));
}

/** Bytes that are `least` or more, as signed numbers: from -64 on are all but those that continue a character. */
@inline
function atLeast(least: i8, a: v128, b: v128, c: v128, d: v128): u64 {
  const all = i8x16.splat(least);
  return bits(i8x16.ge_s(a, all), i8x16.ge_s(b, all), i8x16.ge_s(c, all), i8x16.ge_s(d, all));
}

@inline
function fourByteStarts(a: v128, b: v128, c: v128, d: v128): u64 {
  const least = i8x16.splat(-16);
  return bits(i8x16.ge_u(a, least), i8x16.ge_u(b, least), i8x16.ge_u(c, least), i8x16.ge_u(d, least));
}

@inline
function noteWords(inWord: u64, more: u64, pairs: u64): void {
  if (inWord == u64.MAX_VALUE) {
    wordBytes += 64;
    return;
  }
  const head = <i32>ctz(~inWord);
  if (wordBytes + head >= shortestWord) noteWord(units - wordBytes, units + head);
  wordBytes = <i32>clz(~inWord);
  const rest = inWord & (u64.MAX_VALUE << head);
  // Ones where the 15 characters of a long word begin.
  let long = rest & (rest >> 1);
  long &= long >> 2;
  long &= long >> 4;
  long &= long >> 7;
  // The word at the end may go on in the next block.
  long &= u64.MAX_VALUE >> wordBytes;
  while (long != 0) {
    const first = ctz(long);
    const length = ctz(~(rest >> first));
    const at = unitsBefore(<u64>1 << first, more, pairs);
    noteWord(at, at + <i32>length);
    long &= u64.MAX_VALUE << (first + length);
  }
}

@inline
function noteWord(from: i32, to: i32): void {
  store<u32>(wordsAt + (<usize>words << 3), from);
  store<u32>(wordsAt + (<usize>words << 3), to, 4);
  words++;
}

@inline
function unitsBefore(bit: u64, more: u64, pairs: u64): i32 {
  const before = bit - 1;
  return units + <i32>popcnt(before & ~more) + <i32>popcnt(before & pairs);
}

/** Which bytes are escaped by the one before: every second one of several backslashes (simdjson). */
@inline
function afterEscapes(escapes: u64): u64 {
  if (escapes == 0) {
    const first = isEscaped;
    isEscaped = 0;
    return first;
  }
  const possible = escapes & ~isEscaped;
  const ends = (((possible << 1) | oddBits) - possible) ^ oddBits;
  const escaped = ends ^ (escapes | isEscaped);
  isEscaped = (ends & escapes) >> 63;
  return escaped;
}

@inline
function noteStrings(marks: u64, long: u64, more: u64, pairs: u64): void {
  if (openedAt >= 0 && marks == 0) {
    if (long != 0) hasLongEscape = true;
    return;
  }
  let left = marks | long;
  while (left != 0) {
    const bit = left & (0 - left);
    left ^= bit;
    if ((long & bit) != 0) {
      hasLongEscape = true;
      continue;
    }
    if (marksLeft == 0) return;
    marksLeft--;
    const at = unitsBefore(bit, more, pairs);
    if (openedAt < 0) {
      openedAt = at;
      hasLongEscape = false;
      continue;
    }
    if (at - openedAt > longString && !hasLongEscape && strings < mostStrings) {
      store<u32>(stringsAt + (<usize>strings << 3), openedAt);
      store<u32>(stringsAt + (<usize>strings << 3), at, 4);
      strings++;
    }
    openedAt = -1;
  }
}
