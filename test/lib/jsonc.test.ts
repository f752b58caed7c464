import assert from "node:assert/strict";
import { test } from "node:test";
import { readJsonc } from "../../src/lib/jsonc-document.ts";
import { removeJsoncMember, setJsoncMember } from "../../src/lib/jsonc-edit.ts";
import { PlacedError } from "../../src/lib/placed-error.ts";

test("readJsonc: comments, trailing commas and a byte order mark are read over, the last of equal keys counts", () => {
  const text = '\ufeff// head\r\n{ /* a */ "a": [1, -2.5e3, "x\\n",], "b": {"c": null,}, "a": true, // end\r\n}\n';
  assert.deepEqual(readJsonc(text)?.value, { a: true, b: { c: null } });
  assert.equal(readJsonc(" // nothing\n"), undefined);
  assert.deepEqual(Object.keys(readJsonc('{"__proto__": {"x": 1}}')?.value as object), ["__proto__"]);
});

test("readJsonc: what is wrong is named with line and column", () => {
  for (const [text, message] of [
    ['{\n  "a": 1\n  "b": 2\n}', "3:3  a comma is missing"],
    ['{"a" 1}', '1:6  a colon is missing behind "a"'],
    ["{a: 1}", "1:2  a key in double quotes is missing"],
    ['{"a": treu}', '1:7  "treu" is no value'],
    ['{"a": 01}', '1:7  "01" is no value'],
    ['{"a": "x\n"}', "1:7  this text is never closed"],
    ['{"a": "\\x"}', "1:7  this text has a character or an escape that JSON does not allow"],
    ['{\n"a": [1', "2:6  this list is never closed"],
    ["{} {}", "1:4  nothing may follow the value"],
    ["{ /* x", "1:3  this comment is never closed"],
    ["[".repeat(200), "1:130  values are nested deeper than 128 levels"],
  ] as const)
    assert.throws(
      () => readJsonc(text),
      (error: Error) => {
        assert.ok(error instanceof PlacedError);
        assert.equal(error.message, message);
        return true;
      },
    );
});

const entry = { url: "http://x/mcp" };

test("setJsoncMember: a member is added in the style of the file, behind the comments of the last one", () => {
  const tabs = '{\r\n\t// mine\r\n\t"servers": {\r\n\t\t"a": {"x": 1} // about a\r\n\t},\r\n\t"z": 1,\r\n}\r\n';
  assert.equal(
    setJsoncMember(tabs, ["servers", "gateway"], entry),
    '{\r\n\t// mine\r\n\t"servers": {\r\n\t\t"a": {"x": 1}, // about a\r\n\t\t"gateway": {\r\n\t\t\t"url": "http://x/mcp"\r\n\t\t}\r\n\t},\r\n\t"z": 1,\r\n}\r\n',
  );
  assert.equal(setJsoncMember('{\n    "a": 1, // one\n}\n', ["b"], 2), '{\n    "a": 1, // one\n    "b": 2,\n}\n');
  assert.equal(
    setJsoncMember('{\n  "mcpServers": {}\n}', ["mcpServers", "g"], entry),
    '{\n  "mcpServers": {\n    "g": {\n      "url": "http://x/mcp"\n    }\n  }\n}',
  );
  assert.equal(setJsoncMember('{"a":{"b":1}}', ["a", "c"], entry), '{"a":{"b":1, "c": {"url":"http://x/mcp"}}}');
  assert.equal(setJsoncMember("{}", ["m", "g"], 1), '{"m": {"g":1}}');
});

test("setJsoncMember: a value is replaced where it stands, `null` on the way becomes an object, an empty file is begun", () => {
  assert.equal(
    setJsoncMember('{\n  "m": {\n    "g": {"url": "old"}, // keep\n    "h": 2\n  }\n}\n', ["m", "g"], entry),
    '{\n  "m": {\n    "g": {\n      "url": "http://x/mcp"\n    }, // keep\n    "h": 2\n  }\n}\n',
  );
  assert.equal(setJsoncMember('{"m": null, "z": 1}', ["m", "g"], 1), '{"m": {"g":1}, "z": 1}');
  assert.equal(setJsoncMember("", ["m", "g"], 1), '{\n  "m": {\n    "g": 1\n  }\n}\n');
  assert.equal(setJsoncMember("\ufeff// empty\r\n", ["m"], 1), '\ufeff// empty\r\n{\r\n  "m": 1\r\n}\r\n');
  assert.equal(setJsoncMember('{"a": 1, "a": 2}', ["a"], 3), '{"a": 1, "a": 3}');
});

test("setJsoncMember: refuses what is no object on the way", () => {
  assert.throws(() => setJsoncMember("[]", ["a"], 1), { message: "1:1  the file must be an object" });
  assert.throws(() => setJsoncMember('{"m": "x"}', ["m", "g"], 1), { message: '1:7  "m" must be an object' });
});

test("removeJsoncMember: takes its lines, the comment on them and a comma that is left over", () => {
  const set = (text: string) => setJsoncMember(text, ["m", "g"], entry);
  for (const text of [
    '{\n  "m": {\n    "a": 1\n  }\n}\n',
    '{\r\n\t"m": {\r\n\t\t"a": 1, // last\r\n\t}, // m\r\n}\r\n',
    '{"m": {"a": 1}}',
  ])
    assert.equal(removeJsoncMember(set(text), ["m", "g"]), text);
  const middle = '{\n  "a": 1,\n  "g": {}, // mine\n  "b": 2\n}\n';
  assert.equal(removeJsoncMember(middle, ["g"]), '{\n  "a": 1,\n  "b": 2\n}\n');
  assert.equal(removeJsoncMember('{"g": 1, "x": 2, "g": 3}', ["g"]), '{"x": 2}');
  assert.equal(removeJsoncMember(middle, ["x", "y"]), middle);
});
