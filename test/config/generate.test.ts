import assert from "node:assert/strict";
import { test } from "node:test";
import { configJsonSchema, settingsTables } from "../../src/config/generate.ts";
import { pendingSections } from "../../src/config/pending/schema.ts";
import { rareSections } from "../../src/config/rare/schema.ts";
import { configSchema } from "../../src/config/schema.ts";
import { loadText } from "./fixture.ts";

interface Node {
  readonly description?: string;
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, Node>>;
  readonly additionalProperties?: Node | boolean;
  readonly [key: string]: unknown;
}

test("configJsonSchema: has every section, closed, with types, bounds and defaults", () => {
  const schema = configJsonSchema() as Node;
  assert.equal(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
  const sections = Object.keys(schema.properties ?? {});
  assert.deepEqual(sections, [
    ...Object.keys(configSchema.entries),
    ...Object.keys(rareSections),
    ...Object.keys(pendingSections),
  ]);
  assert.equal(schema.additionalProperties, false);
  assert.deepEqual(schema.properties?.["server"]?.properties?.["port"], {
    description: "Port to listen on; 0 picks a free one",
    type: "integer",
    minimum: 0,
    maximum: 65_535,
    default: 39_400,
  });
  const backend = schema.properties?.["backends"]?.additionalProperties as Node;
  assert.deepEqual(backend.properties?.["timeout"]?.["anyOf"], [
    { type: "number", minimum: 0 },
    { type: "string", pattern: "^\\s*(\\d+(\\.\\d+)?|(\\d+(\\.\\d+)?(ms|s|m|h|d)\\s*)+)$" },
  ]);
  assert.deepEqual(backend.properties?.["oauth"]?.properties?.["callback_port"]?.["type"], "integer");
});

test("configJsonSchema: every setting outside pending sections is described", () => {
  const silent: string[] = [];
  const walk = (node: Node, path: string) => {
    for (const [key, child] of Object.entries(node.properties ?? {})) {
      if (child.description === undefined) silent.push(`${path}${key}`);
      walk(child, `${path}${key}.`);
    }
    if (typeof node.additionalProperties === "object") walk(node.additionalProperties, `${path}*.`);
  };
  walk(configJsonSchema() as Node, "");
  assert.deepEqual(
    silent.filter((setting) => !((setting.split(".")[0] as string) in pendingSections)),
    [],
  );
});

test("configJsonSchema: its defaults are those of an empty file", async (t) => {
  const { config } = await loadText(t, "");
  const properties = (configJsonSchema() as Node).properties?.["streaming"]?.properties ?? {};
  const defaults = Object.fromEntries(Object.entries(properties).map(([key, node]) => [key, node.default]));
  assert.deepEqual((await loadText(t, `streaming: ${JSON.stringify(defaults)}`)).config.streaming, config.streaming);
});

test("settingsTables: one table per active section, one row per setting", () => {
  const text = settingsTables();
  for (const section of ["server", "auth", "meta_mcp", "streaming", "failsafe", "backends", "capabilities", "security"])
    assert.ok(text.includes(`### \`${section}\``), section);
  assert.ok(text.includes("| `port` | number | `39400` | Port to listen on; 0 picks a free one |"));
  assert.ok(text.includes("| `retry.max_attempts` | number | `3` |"));
  assert.ok(text.includes("| `<name>.stop_when_idle_for` | duration |  |"));
  assert.ok(text.includes("| `api_keys[].key` | secret | required |"));
  assert.match(text, /not active yet: `marketplace`/);
  assert.ok(!/^### `marketplace`/m.test(text));
});
