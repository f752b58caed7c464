import assert from "node:assert/strict";
import { test } from "node:test";
import { globMatches, intersectGlobs } from "../../src/lib/glob.ts";

test("intersectGlobs: what one list lets through of the other, never more than both", () => {
  assert.equal(intersectGlobs(undefined, undefined), undefined);
  assert.deepEqual(intersectGlobs(["a"], undefined), ["a"]);
  assert.deepEqual(intersectGlobs(undefined, []), []);
  assert.deepEqual(intersectGlobs(["git*", "notes"], ["github", "mail", "*"]), ["git*", "notes", "github"]);
  assert.deepEqual(intersectGlobs(["a*"], ["*a"]), [], "what lies across is left out");
  const patterns = ["*", "a", "ab", "a*", "*b", "a*b", "**", "a*b*", "?", "b*a"];
  const texts = ["", "a", "b", "ab", "aab", "abb", "ba", "bab", "?", "*", "a*b"];
  for (const one of patterns)
    for (const other of patterns)
      for (const text of texts)
        if (intersectGlobs([one], [other])?.some((pattern) => globMatches(pattern, text)))
          assert.ok(globMatches(one, text) && globMatches(other, text), `${one} and ${other} on ${text}`);
});
