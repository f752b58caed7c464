import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeUtf8 } from "../../src/lib/utf8.ts";

const bytes = (...values: number[]) => Uint8Array.from(values);

test("decodeUtf8 gives what was encoded, replacement characters included", () => {
  for (const text of ["", "plain", "naïve 日本語 🙂", "a \ufffd that was sent", "\0\u007f"])
    assert.equal(decodeUtf8(new TextEncoder().encode(text)), text);
});

test("decodeUtf8 refuses what is not UTF-8, wherever it is", () => {
  const broken = {
    "a lone continuation": [0x80],
    "a sequence cut off": [0x61, 0xe2, 0x82],
    "an overlong form": [0xc0, 0xaf],
    "a surrogate": [0xed, 0xa0, 0x80],
    "beyond the last code point": [0xf4, 0x90, 0x80, 0x80],
    "broken beside a replacement character": [0xef, 0xbf, 0xbd, 0xff],
  };
  for (const [name, values] of Object.entries(broken))
    for (const mark of ["drop", "keep"] as const)
      assert.throws(() => decodeUtf8(bytes(...values), mark), TypeError, name);
});

test("decodeUtf8 drops a byte order mark or keeps it, and only the first", () => {
  const marked = bytes(0xef, 0xbb, 0xbf, 0xef, 0xbb, 0xbf, 0x61);
  assert.equal(decodeUtf8(marked), "\ufeffa");
  assert.equal(decodeUtf8(marked, "keep"), "\ufeff\ufeffa");
});
