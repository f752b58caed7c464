/** The house as it stands keeps its rules; `rules.test.ts` shows that the rules bite. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { dependencies, developmentDependencies } from "../../deploy/dependencies.ts";
import packageJson from "../../package.json" with { type: "json" };
import * as rules from "./rules.ts";
import { readSourceTree } from "./source-tree.ts";

const src = fileURLToPath(new URL("../../src/", import.meta.url));
const tree = readSourceTree(src);

test("src: is found whole", () => {
  assert.ok(tree.has("main.ts"), "src/main.ts is not among the files read");
});

const { mapIsTrue, ...treeRules } = rules;
for (const [name, rule] of Object.entries(treeRules)) {
  test(`src: ${name}`, () => {
    assert.deepEqual(rule(tree), []);
  });
}

test("src: mapIsTrue", () => {
  assert.deepEqual(mapIsTrue(tree, readFileSync(`${src}README.md`, "utf8")), []);
});

test("dependencies: each has its reason, pinned", () => {
  assert.deepEqual(Object.keys(dependencies).sort(), Object.keys(packageJson.dependencies).sort());
  assert.deepEqual(Object.keys(developmentDependencies).sort(), Object.keys(packageJson.devDependencies).sort());
  for (const [name, version] of Object.entries({ ...packageJson.dependencies, ...packageJson.devDependencies }))
    assert.match(version, /^\d+\.\d+\.\d+(-[\w.]+)?$/, `${name} is not pinned`);
});
