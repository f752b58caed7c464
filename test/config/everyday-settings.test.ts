import assert from "node:assert/strict";
import { test } from "node:test";
import { configOutline } from "../../src/config/config-outline.ts";
import { takeEveryday } from "../../src/config/everyday-settings.ts";
import { holdAgainstSchemas } from "../../src/config/hold-against-schemas.ts";
import type { Outline } from "../../src/config/outline.ts";
import { type Path, type Settings, withValueAt } from "../../src/config/path.ts";

const values: readonly unknown[] = [
  ...["", "x", "30s", "1h30m", " 5 ", "-1s", "auto", "env:TOKEN", "native", "none", "/health", "http://x"],
  ...[0, 1, -1, 0.5, 1.5, 65_535, 65_536, 1e300, Number.NaN, Number.POSITIVE_INFINITY],
  ...[true, false, null, [], ["a"], ["a", 1], [{}], [{ server: "s", tool: "t" }], [{ key: "k" }], [null]],
  ...[{}, { enabled: true }, { A: "b" }, { A: 1 }, { A: true }, { A: null }, { constructor: "x" }, { "a.b": {} }],
];

/** A path to every setting of the outline; the entries of maps and lists have made-up names. */
function pathsIn(outline: Outline, path: Path = []): Path[] {
  switch (outline.is) {
    case "object": {
      const inside = Object.entries(outline.entries).flatMap(([key, entry]) => pathsIn(entry, [...path, key]));
      return [path, [...path, "no_such_setting"], ...inside];
    }
    case "map":
      return [path, ...pathsIn(outline.value, [...path, "one"])];
    default:
      return [path];
  }
}

async function assertSame(settings: Settings): Promise<boolean> {
  const everyday = takeEveryday(configOutline, settings);
  if (everyday === undefined) return false;
  assert.deepEqual(
    { ...everyday, wrong: [], unknown: [], pending: [] },
    await holdAgainstSchemas(settings),
    JSON.stringify(settings),
  );
  return true;
}

test("takeEveryday: what it takes, the schemas take to the same result, for every setting and all kinds of values", async () => {
  let taken = 0;
  for (const path of pathsIn(configOutline).slice(1))
    for (const value of values) if (await assertSame(withValueAt({}, path, value))) taken += 1;
  assert.ok(taken > 500, `only ${taken} were taken`);
});

test("takeEveryday: takes an ordinary file whole, secrets included", async () => {
  const settings = {
    server: { port: 1234, request_timeout: "1m" },
    auth: { enabled: true, bearer_token: "env:TOKEN", api_keys: [{ key: "k", name: "n", backends: ["a"] }] },
    meta_mcp: { surfaced_tools: [{ server: "a", tool: "t" }], warm_start: ["a"] },
    failsafe: { retry: { max_attempts: 1, multiplier: 1.5 } },
    backends: {
      a: { command: ["node", "x.js"], env: { A: "b" }, failsafe: { rate_limit: { enabled: false } } },
      b: { http_url: "https://example.com/mcp", headers: { authorization: "Bearer x" }, timeout: 5 },
    },
  };
  assert.ok(await assertSame(settings));
});

test("configOutline: is the same after its way through JSON, as the executable has it", () => {
  assert.deepEqual(JSON.parse(JSON.stringify(configOutline)), configOutline);
});
