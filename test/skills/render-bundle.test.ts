import assert from "node:assert/strict";
import { test } from "node:test";
import { parseSkill } from "../../src/skills/parse-skill.ts";
import { type BundledTool, bundleName, renderBundle } from "../../src/skills/render-bundle.ts";

const tool: BundledTool = {
  name: "find_city",
  description: 'Towns by name: "Oulu" and others | more.\nUse it before tools that need a place.',
  inputSchema: {
    type: "object",
    properties: {
      count: { type: "integer", default: 5, minimum: 1, maximum: 100, description: "Number of towns." },
      name: { type: "string", description: "Name of a town" },
      kind: { type: ["string", "null"], enum: ["town", "it's"] },
      places: { type: "array", items: { type: "number", minimum: 3 } },
      options: {},
    },
    required: ["name", "kind", "places", "options"],
  },
  readsOnly: false,
  needs: ["the variable GEO_KEY"],
};

test("bundleName: any category makes the name of a skill", async () => {
  for (const [category, name] of [
    ["Weather & Air", "mcp-gateway-weather-air"],
    ["", "mcp-gateway-general"],
    ["../../up", "mcp-gateway-up"],
    ["x".repeat(99), `mcp-gateway-${"x".repeat(52)}`],
  ] as const)
    assert.equal(bundleName(category), name);
});

test("renderBundle: a skill that our own import takes, with a page and two ways to call for each tool", async () => {
  const { name, files } = renderBundle("mcp-gateway-geo", [tool], "1.2.3");
  assert.deepEqual([...files.keys()], ["SKILL.md", "commands/find_city.md", "crust.json"]);
  const skill = await parseSkill(name, files.get("SKILL.md") as string);
  assert.equal(skill.name, "mcp-gateway-geo");
  assert.match(skill.description, /^Tools for geo .*find_city \(Towns by name: "Oulu" and others \| more\)$/);
  assert.match(
    skill.body,
    /^\| \[`find_city`\]\(commands\/find_city\.md\) \| Towns .*others \\\| more; changes something; needs the variable GEO_KEY \| `name`, `kind`, `places`, `options`, `count\?` \|$/m,
  );
  assert.deepEqual(JSON.parse(files.get("crust.json") as string), {
    name: "mcp-gateway-geo",
    description: skill.description,
    version: "1.2.3",
    kind: "generated",
    commands: ["find_city"],
  });
  const page = files.get("commands/find_city.md") as string;
  assert.match(page, /^It changes something: ask before calling it\.$/m);
  assert.match(page, /^The operator has to provide the variable GEO_KEY\.$/m);
  assert.match(page, /^- `count` \(integer, optional, at least 1, at most 100, default `5`\): Number of towns$/m);
  assert.match(page, /^- `kind` \(string or null, required\): one of `town`, `it's`$/m);
  assert.match(page, /^- `options` \(any, required\)$/m);
  const args = { name: "<name>", kind: "town", places: [3], options: "<options>" };
  const [, json] = /```json\n(.*?)\n```/s.exec(page) as unknown as [string, string];
  assert.deepEqual(JSON.parse(json), { server: "gateway", tool: "find_city", arguments: args });
  assert.ok(page.includes(`mcp-gateway tool invoke find_city --args '${JSON.stringify(args)}'`));
});

test("renderBundle: many tools keep the description within what a host takes", async () => {
  const tools = Array.from({ length: 60 }, (_, at) => ({ ...tool, name: `tool_${at}`, inputSchema: {} }));
  const { files } = renderBundle("mcp-gateway-many", tools, "1");
  const skill = await parseSkill("many", files.get("SKILL.md") as string);
  assert.match(skill.description, /; and \d+ more$/);
  assert.match(files.get("commands/tool_1.md") as string, /## Arguments\n\nNone\.\n/);
  assert.match(files.get("commands/tool_1.md") as string, /^mcp-gateway tool invoke tool_1$/m);
});
