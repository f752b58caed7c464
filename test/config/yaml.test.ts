import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { loadConfig } from "../../src/config/load.ts";
import { readPlainYaml } from "../../src/config/plain-yaml.ts";
import { readYaml } from "../../src/lib/yaml-document.ts";
import { seededRandom } from "../fixtures/seeded-random.ts";
import { findings, temporaryFolder } from "./fixture.ts";

function laughs(): string {
  const lines = ["a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]"];
  for (let level = 1; level < 9; level += 1)
    lines.push(
      `a${level}: &a${level} [${Array(9)
        .fill(`*a${level - 1}`)
        .join(", ")}]`,
    );
  return lines.join("\n");
}

const bombs: readonly [name: string, text: string, message: RegExp][] = [
  ["nine levels of aliases", laughs(), /stands for more than 100000 values/],
  ["1e5 nested flow sequences", "[".repeat(100_000), /nested deeper than 64 levels/],
  ["1e5 nested block sequences on a line", "- ".repeat(100_000), /nested deeper than 64 levels/],
  ["a 10 MB scalar", `a: ${"x".repeat(10_000_000)}`, /larger than 1 MiB/],
  ["100,000 broken lines", "a: b: c\n".repeat(100_000), /too many values/],
  [
    "deep indentation",
    Array.from({ length: 1_400 }, (_, depth) => `${" ".repeat(depth)}a:`).join("\n"),
    /deeper than 64/,
  ],
  ["a function tag", "a: !!js/function 'x'", /1:4 {2}Unresolved tag/],
  ["__proto__", "server:\n  __proto__: {port: 1}", /2:3 {2}The key "__proto__" is not allowed/],
  ["a merge key", "a: &a {b: 1}\nc:\n  <<: *a", /3:3 {2}Merge keys \("<<"\) are not supported/],
  ["duplicate keys", "server: {port: 1}\nserver: {port: 2}", /2:1 {2}The key "server" is there twice/],
  ["several documents", "a: 1\n---\nb: 2", /2:1|3:1/],
];

for (const [name, text, message] of bombs)
  test(`T15: ${name} is refused fast`, async (t) => {
    const folder = temporaryFolder(t);
    writeFileSync(join(folder, "gateway.yaml"), text);
    await readYaml("warm: up");
    const rssBefore = process.memoryUsage().rss;
    const start = process.cpuUsage();
    await assert.rejects(loadConfig({ cwd: folder, env: {} }), message);
    const { user, system } = process.cpuUsage(start);
    const spentMs = (user + system) / 1_000;
    // The bound is 200 ms on a quiet machine; tests share theirs.
    assert.ok(spentMs < 800, `took ${spentMs} ms`);
    assert.ok(process.memoryUsage().rss - rssBefore < 150e6);
  });

test("T15: bytes that are no UTF-8 are refused", async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, "gateway.yaml"), Uint8Array.of(0x61, 0x3a, 0x20, 0xff));
  await assert.rejects(loadConfig({ cwd: folder, env: {} }), /gateway\.yaml {2}The file is not UTF-8 text/);
});

test("readYaml: aliases within the limits are what they name", async (t) => {
  const text = "backends:\n  a: {command: &c run, env: &e {K: v}}\n  b: {command: *c, env: *e}\n";
  assert.deepEqual(await findings(t, text), []);
  assert.deepEqual(((await readYaml(text)).value as { backends: { b: unknown } }).backends.b, {
    command: "run",
    env: { K: "v" },
  });
});

const everyday = `# comment
server:
  host: 127.0.0.1   # why
  port: 39400
  request_timeout: 30s
  ratio: 0.5
  negative: -3
  octal: "0o17"
auth:
  enabled: false
  nothing:
  tilde: ~
  api_keys:
  - key: "a\\"b\\\\c"
    name: 'it''s'
  - key: x#y
    backends: [a, "b, c", 'd', 1, true, null, []]
list:
  - - 1
    - 2
  - plain text with spaces
  -
    nested: true
  - {a: 1, b: {c: [x, y]}, d: "e: f"}
backends:
  my.server-1:
    command: npx -y @scope/pkg --flag=a:b /path
    url: http://localhost:8080/mcp?x=1#frag
    env:
      KEY: \${VAR:-default}
      EMPTY: ""
    description: Größe — “quotes” 🎉
`;

test("readPlainYaml: reads an everyday file, as the YAML package does", async () => {
  const plain = readPlainYaml(everyday);
  assert.ok(plain !== undefined);
  assert.deepEqual(plain.value, (await readYaml(everyday)).value);
});

test("readPlainYaml: whatever it reads, it reads as the YAML package does", async () => {
  // Random edits of a real file: most make it unusual or wrong, and then nothing may be read.
  const pieces = [
    ":",
    " ",
    "\n",
    "- ",
    "#",
    '"',
    "'",
    "[",
    "]",
    "{",
    "}",
    ",",
    "&a ",
    "*a",
    "!x ",
    "|",
    ">",
    "\t",
    "~",
    "  ",
    "0x1F",
    "1e3",
    ".5",
    "-0",
    "yes",
    "null",
    "<<",
    "? ",
    "%",
    "@",
    "\\",
    "---\n",
    "\r",
    "key: v\n",
    "007",
    "+1",
    ".inf",
    "a: b: c",
    "…",
    "\u2028",
    "\u0085",
  ];
  const next = seededRandom(20251125);
  const random = (below: number) => Math.floor(next() * below);
  let read = 0;
  for (let round = 0; round < 3_000; round += 1) {
    let text = everyday.slice(0, 100 + random(everyday.length - 100));
    for (let edit = random(4); edit >= 0; edit -= 1) {
      const at = random(text.length);
      text = text.slice(0, at) + (pieces[random(pieces.length)] as string) + text.slice(at + random(3));
    }
    const plain = readPlainYaml(text);
    if (plain === undefined) continue;
    read += 1;
    const full = await readYaml(text).catch((error: Error) =>
      assert.fail(`${error.message} in ${JSON.stringify(text)}`),
    );
    assert.deepEqual(plain.value, full.value, JSON.stringify(text));
  }
  assert.ok(read > 150, `only ${read} were read`);
});
