/** T15: a YAML file made to hurt costs little and is refused, and its neighbours load. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Folder, KeptLog, listTools, upstreamOver } from "./fixture.ts";

const good = "description: Works\nproviders: {primary: {config: {base_url: http://api.example}}}\n";
const levels = "abcdefghi".split("");

const bombs: Readonly<Record<string, string>> = {
  "billion laughs": levels
    .map(
      (name, level) =>
        `${name}: &${name} [${Array(9)
          .fill(level === 0 ? "lol" : `*${levels[level - 1]}`)
          .join(",")}]`,
    )
    .join("\n"),
  "aliases of one text": `a: &a ${"x".repeat(10_000)}\nb: [${Array(1_000).fill("*a").join(",")}]`,
  "100,000 nested lists": "[".repeat(100_000),
  "100,000 nested lists, closed": "[".repeat(100_000) + "]".repeat(100_000),
  "100,000 nested mappings": "{a: ".repeat(100_000),
  "nested dashes on one line": `${"- ".repeat(400_000)}x`,
  "nested question marks": `${"? ".repeat(400_000)}x`,
  "80,000 keys": Array.from({ length: 80_000 }, (_, index) => `k${index}: 1`).join("\n"),
  "400,000 numbers": `a: [${"1,".repeat(400_000)}]`,
  "a scalar of 10 MB": `a: ${"x".repeat(10_000_000)}`,
  "1,000 levels by indentation": Array.from({ length: 1_000 }, (_, level) => `${" ".repeat(level)}a:`).join("\n"),
  nulls: "\0".repeat(100_000),
};

for (const [what, text] of Object.entries(bombs)) {
  test(`T15: ${what} is refused`, async () => {
    await using warm = await Folder.with({ "good.yaml": good });
    await using first = upstreamOver([warm.path]);
    await listTools(first);
    await using folder = await Folder.with({ "bomb.yaml": text, "good.yaml": good });
    const log = new KeptLog();
    await using upstream = upstreamOver([folder.path], { log });
    const cpuBefore = process.cpuUsage();
    const bytesBefore = process.memoryUsage().rss;
    const tools = await listTools(upstream);
    const { user, system } = process.cpuUsage(cpuBefore);
    const spent = { ms: (user + system) / 1_000, bytes: process.memoryUsage().rss - bytesBefore };
    assert.deepEqual(
      tools.map(({ name }) => name),
      ["good"],
    );
    assert.ok(log.lines.length > 0 && log.lines.every((line) => line.length < 400), log.lines.join("\n").slice(0, 800));
    // The threat table says 200 ms and 50 MB: of the processor, whatever else the machine does, and with a margin for a
    // collector that comes when it likes, in a process full of other tests. Without the limits it is seconds and gigabytes.
    assert.ok(spent.ms < 800, `took ${spent.ms} ms`);
    assert.ok(spent.bytes < 300_000_000, `took ${spent.bytes} bytes`);
  });
}
