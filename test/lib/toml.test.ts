import assert from "node:assert/strict";
import { test } from "node:test";
import { readToml } from "../../src/lib/toml-document.ts";

const plain = (text: string) => JSON.parse(JSON.stringify(readToml(text).value)) as unknown;

test("readToml: tables, dotted and quoted keys, every kind of value, CRLF and a byte order mark", () => {
  const text = [
    "\ufeff# Codex",
    'model = "gpt-5" # inline',
    "a.b.\"c d\" = 'C:\\raw'",
    "numbers = [ 1, -2_000, 3.5e2, 0xff, # hex",
    "  true, ]",
    "when = 1979-05-27T07:32:00Z",
    'prompt = """',
    "[mcp_servers.not_a_table]",
    'say \\"hi\\" \\',
    '   there"""',
    "raw = '''x\n'y'''",
    "[mcp_servers.one]",
    'env = { "K-1" = "v\\u00e9", N = 1 }',
    "[mcp_servers.one.http_headers]",
    'X = "1"',
    "[[list]]",
    "n = 1",
    "[[list]]",
    "[list.sub]",
    "m = 2",
  ].join("\r\n");
  assert.deepEqual(plain(text), {
    model: "gpt-5",
    a: { b: { "c d": "C:\\raw" } },
    numbers: [1, -2000, 350, 255, true],
    when: "1979-05-27T07:32:00Z",
    prompt: '[mcp_servers.not_a_table]\r\nsay "hi" there',
    raw: "x\n'y",
    mcp_servers: { one: { env: { "K-1": "vé", N: 1 }, http_headers: { X: "1" } } },
    list: [{ n: 1 }, { sub: { m: 2 } }],
  });
  assert.deepEqual(
    readToml(text).headers.map(({ path, start }) => [path.join("."), text.slice(start, start + 5)]),
    [
      ["mcp_servers.one", "[mcp_"],
      ["mcp_servers.one.http_headers", "[mcp_"],
      ["list", "[[lis"],
      ["list", "[[lis"],
      ["list.sub", "[list"],
    ],
  );
});

test("readToml: what is wrong is named with line and column", () => {
  for (const [text, message] of [
    ["a = 1\na = 2", '2:1  "a" is there twice'],
    ["a 1", '1:3  a "=" is missing'],
    ["a = ", "1:5  a value is missing"],
    ["a = yes", '1:5  "yes" is no value'],
    ['a = "x', "1:5  this text is never closed"],
    ['a = """x', "1:5  this text is never closed"],
    ["\n[a", '2:3  a "]" is missing'],
    ["a = [1 2]", "1:8  a comma is missing"],
    ["a = [1,", "1:5  this list is never closed"],
    ["a = 1 b", "1:6  nothing may follow on this line"],
    ["a = 1\n[a.b]", '2:1  "a" is not a table'],
    ['a = "\\q"', '1:5  "\\q" is no escape'],
    [`${"a.".repeat(100)}b = 1`, "1:130  a key has more than 64 parts"],
    [`a = ${"[".repeat(100)}`, "1:70  values are nested deeper than 64 levels"],
  ] as const)
    assert.throws(() => readToml(text), { name: "PlacedError", message });
});

test("readToml: a key, a table and an item are found where they stand, what is not there at what it would be in", () => {
  const document = readToml('a = 1\n[b.c]\n  d = { e = 2 }\n[[l]]\nx = 1\n[[l]]\n  x = 2\n[b.c.f]\n"g.h" = 3\n');
  const at = (...path: (string | number)[]) => {
    const { line, column } = document.placeOf(path);
    return `${line}:${column}`;
  };
  assert.deepEqual(
    [at(), at("a"), at("b", "c"), at("b", "c", "d", "e"), at("l", 1), at("l", 1, "x"), at("b", "c", "f", "g.h")],
    ["1:1", "1:1", "2:1", "3:9", "6:1", "7:3", "9:1"],
  );
  assert.deepEqual([at("b", "c", "none", "x"), at("l", 7), at("none")], ["2:1", "4:1", "1:1"]);
});
