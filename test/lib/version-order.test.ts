import assert from "node:assert/strict";
import { test } from "node:test";
import { compareVersions, isVersion } from "../../src/lib/version-order.ts";

test("compareVersions: follows the precedence of Semantic Versioning", () => {
  const ascending =
    "0.9.9 1.0.0-alpha 1.0.0-alpha.1 1.0.0-alpha.beta 1.0.0-beta 1.0.0-beta.2 1.0.0-beta.11 1.0.0-rc.1 1.0.0 1.0.10 1.2.0 10.0.0";
  const versions = ascending.split(" ");
  for (const [at, a] of versions.entries())
    for (const [other, b] of versions.entries())
      assert.equal(Math.sign(compareVersions(a, b)), Math.sign(at - other), `${a} and ${b}`);
  assert.equal(compareVersions("1.0.0+build.1", "1.0.0"), 0);
});

test("isVersion: three numbers, and what may follow them", () => {
  for (const text of ["1.0.0", "0.1.0-rc.1", "1.2.3+x"]) assert.ok(isVersion(text), text);
  for (const text of ["", "1", "1.0", "v1.0.0", "1.0.0\n2", "latest"]) assert.ok(!isVersion(text), text);
});
