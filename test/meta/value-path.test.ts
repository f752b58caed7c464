import assert from "node:assert/strict";
import { test } from "node:test";
import type { Json } from "../../src/lib/json.ts";
import { parseValuePath, readValuePath } from "../../src/meta/value-path.ts";

const value: Json = { items: [{ id: 1, tags: ["a", "b"] }, { id: 2 }], "odd.key": { x: null }, text: "t" };

function read(text: string): unknown {
  const path = parseValuePath(text);
  return path === undefined ? "no path" : readValuePath(value, path);
}

test("readValuePath follows members, elements and every element", () => {
  const found: Record<string, Json> = {
    step: value,
    "step.text": "t",
    "step.items[0].id": 1,
    "step.items[-1].id": 2,
    "step.items[*].id": [1, 2],
    "step.items[].id": [1, 2],
    "step.items[*].tags[*]": ["a", "b"],
    "step.items[*].nothing": [],
    'step["odd.key"].x': null,
    "step['odd.key'].x": null,
  };
  for (const [text, expected] of Object.entries(found)) assert.deepEqual(read(text), { value: expected }, text);
});

test("readValuePath says where a path leads nowhere", () => {
  const missing: Record<string, string> = {
    "step.itms": '"step" has no "itms", it has items, odd.key, text',
    "step.items[2]": '"step.items" has 2 elements, not [2]',
    "step.items.id": '"step.items" is a list, so it has no "id"',
    "step.text[0]": '"step.text" is text, not a list',
    "step.text[*]": '"step.text" is text, not a list',
    "step.constructor": '"step" has no "constructor", it has items, odd.key, text',
  };
  for (const [text, expected] of Object.entries(missing)) assert.deepEqual(read(text), { missing: expected }, text);
});

test("parseValuePath refuses what is no path", () => {
  for (const text of ["", ".a", "a..b", "a[", "a[x]", "a.b c[", "[0]", " a"]) assert.equal(read(text), "no path", text);
});
