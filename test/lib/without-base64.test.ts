import assert from "node:assert/strict";
import { test } from "node:test";
import { withoutBase64 } from "../../src/lib/without-base64.ts";

const base64 = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo".repeat(3_000);

test("withoutBase64 leaves out the inside of base64, and of long runs of it nearly all", () => {
  const whole = `{"data":"${base64}"}`;
  const left = withoutBase64(whole);
  assert.ok(left.startsWith('{"data":"QUJD') && left.endsWith('"}'));
  assert.ok(left.length < 20_000, String(left.length));
  assert.equal(withoutBase64(base64).length < 10_000, true);
});

test("withoutBase64 leaves what can be read, wherever it stands, with what is around it", () => {
  for (let at = 0; at < 40_000; at += 1_237) {
    const word = ' read "this" ';
    const whole = `${base64.slice(0, at)}${word}${base64.slice(0, 40_000 - at)}`;
    const around = whole.slice(Math.max(0, at - 400), at + word.length + 400);
    assert.ok(withoutBase64(whole).includes(around), String(at));
  }
});

test("withoutBase64 gives back the very same text where there is nothing to leave out", () => {
  for (const text of ["", "short", base64.slice(0, 4_000), "All is well. ".repeat(10_000)])
    assert.equal(withoutBase64(text), text);
});
