/**
 * AssemblyScript: the inner loop of word-places.ts, 16 places at once. `node deploy/with-bun.mjs deploy/generate.ts` makes
 * places-wasm.ts of it.
 *
 * Memory: tables, then the bytes, then what is found. Of each byte the lower five bits count, which are the same for a
 * letter in both cases. Sixteen bytes are looked up at once in tables that have a bit for each of eight groups of letters
 * in a row ("Teddy", Hyperscan); what is left of them is looked up by all its letters.
 */
/** For each of the four letters two tables of 16 bytes: the groups with a letter by its lower bits, below 16 and from 16 on. */
export const lettersAt: usize = 0;
/** By hash of four letters, 1 where some word has them. */
export const rowsAt: usize = 128;
export const bytesAt: usize = rowsAt + 8_192;
const mostBytes: usize = 32_768;
/** Of the u32s that are found. Behind the last bytes are up to 32 more that are read. */
export const placesAt: usize = bytesAt + mostBytes + 64;

/** The number of places where four letters in a row may be some of a word. */
export function look(length: i32): i32 {
  let count: i32 = 0;
  const a = v128.load(lettersAt);
  const a16 = v128.load(lettersAt, 16);
  const b = v128.load(lettersAt, 32);
  const b16 = v128.load(lettersAt, 48);
  const c = v128.load(lettersAt, 64);
  const c16 = v128.load(lettersAt, 80);
  const d = v128.load(lettersAt, 96);
  const d16 = v128.load(lettersAt, 112);
  for (let at: i32 = 0; at < length; at += 16) {
    const from = bytesAt + at;
    const groups = v128.and(
      v128.and(groupsOf(v128.load(from), a, a16), groupsOf(v128.load(from, 1), b, b16)),
      v128.and(groupsOf(v128.load(from, 2), c, c16), groupsOf(v128.load(from, 3), d, d16)),
    );
    if (!v128.any_true(groups)) continue;
    let left = i8x16.bitmask(i8x16.ne(groups, i8x16.splat(0)));
    while (left != 0) {
      const place = at + ctz(left);
      left &= left - 1;
      const row = load<u32>(bytesAt + place) & 0x1f1f_1f1f;
      if (load<u8>(rowsAt + ((row * 0x9e37_79b1) >> 19)) == 0) continue;
      store<u32>(placesAt + ((<usize>count) << 2), place);
      count++;
    }
  }
  return count;
}

@inline
function groupsOf(bytes: v128, below: v128, above: v128): v128 {
  const letters = v128.and(bytes, i8x16.splat(31));
  // What is no place in a table is 0.
  return v128.or(i8x16.swizzle(below, letters), i8x16.swizzle(above, i8x16.sub(letters, i8x16.splat(16))));
}
