import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { escapeHidden } from "../../src/lib/escape-hidden.ts";

describe("escapeHidden", () => {
  test("T23: shows every character that hides or drives a terminal", () => {
    const hidden = [
      0x00, 0x07, 0x0d, 0x1b, 0x7f, 0x85, 0x9b, 0xad, 0x180e, 0x200b, 0x200f, 0x2028, 0x202a, 0x202e, 0x2060, 0x2064,
      0x2066, 0x2069, 0x3164, 0xfeff, 0xffa0, 0xd800, 0xe0001, 0xe0041, 0xe007f, 0xe0100,
    ];
    for (const code of hidden) {
      const escaped = escapeHidden(`a${String.fromCodePoint(code)}b`);
      assert.match(escaped, /^a(\\u[0-9a-f]{4})+b$/, code.toString(16));
    }
    assert.equal(escapeHidden("\x1b[31mred"), "\\u001b[31mred");
    assert.equal(escapeHidden("x\ufe0e\ufe0f\ufe01"), "x\\ufe0e\\ufe0f\\ufe01");
  });

  test("leaves every language, emoji, line feeds and tabs alone", () => {
    const text = "Grüße, 世界\n\tשלום مرحبا ❤️ 😀";
    assert.equal(escapeHidden(text), text);
  });

  test("keeps the value of JSON text", () => {
    const value = { text: "a\u202eb\u{e0041}c\u009bd\n\\e" };
    assert.deepEqual(JSON.parse(escapeHidden(JSON.stringify(value))), value);
  });
});
