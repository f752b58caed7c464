import assert from "node:assert/strict";
import { test } from "node:test";
import { Folder, KeptLog, listTools, upstreamOver } from "./fixture.ts";

async function load(files: Readonly<Record<string, string>>): Promise<{ names: unknown[]; lines: string[] }> {
  await using folder = await Folder.with(files);
  const log = new KeptLog();
  await using upstream = upstreamOver([folder.path], { log });
  const names = (await listTools(upstream)).map(({ name }) => name);
  return { names, lines: log.lines.map((line) => line.replaceAll(`${folder.path}/`, "")) };
}

const good = "description: Works\nproviders: {primary: {config: {base_url: http://api.example}}}\n";

const refused: readonly (readonly [string, string, RegExp])[] = [
  [
    "no description",
    good.slice(good.indexOf("\n") + 1),
    /^warn t\.yaml:1:1 {2}"description" is missing; the file is left out$/,
  ],
  ["a list", "- a\n", /^warn t\.yaml:1:1 {2}The file must be a mapping;/],
  ["nothing", "", /^warn t\.yaml:1:1 {2}The file must be a mapping;/],
  ["half a line", `${good}auth:\n  type: [bea`, /^warn t\.yaml:4:\d+ {2}/],
  ["a wrong type", `${good}auth:\n  required: sometimes\n`, /^warn t\.yaml:4:3 {2}"auth\.required" must be boolean;/],
  ["a bad name", `name: a-b\n${good}`, /^warn t\.yaml:1:1 {2}"name" must be only letters, digits and _;/],
  [
    "a bad method",
    good.replace("config: {", "config: {method: FETCH, "),
    /t\.yaml:2:32 {2}"providers\.primary\.config\.method" must be an HTTP method;/,
  ],
  ["no provider", "description: d\n", /"providers\.primary" is missing;/],
  [
    "no address",
    good.replace("base_url: http://api.example", ""),
    /"providers\.primary\.config\.base_url" must be an http or https URL;/,
  ],
  ["another scheme", good.replace("http:", "file:"), /must be an http or https URL;/],
  [
    "an address that begins with an argument",
    good.replace("http://api.example", "'{host}/x'"),
    /must be an http or https URL;/,
  ],
  ["a body with GET", good.replace("config: {", "config: {body: {}, "), /config\.body" needs another method than GET;/],
  [
    "a text body",
    good.replace("config: {", "config: {method: POST, body: 'a {b}', "),
    /config\.body" must be a mapping, or a text with body_content_type: text\/plain;/,
  ],
  [
    "a misspelt placeholder",
    `${good.replace("config: {", "config: {path: '/{yeer}', ")}schema: {input: {properties: {year: {}}}}\n`,
    /config\.path" has "\{yeer\}", which schema\.input does not declare: did you mean "year"\?;/,
  ],
  [
    "an input that is no object",
    `${good}schema: {input: {type: array}}\n`,
    /^warn t\.yaml:3:18 {2}"schema\.input\.type" must be object;/,
  ],
  [
    "a key of its own",
    `${good}auth: {key: "sk-canary"}\n`,
    /"auth\.key" must say where the key is, e\.g\. env:API_KEY;/,
  ],
  [
    "a key for any host",
    `${good.replace("base_url: http://api.example", "endpoint: '{url}'")}auth: {key: KEY}\n`,
    /endpoint" must not be an argument as a whole/,
  ],
  ["a required key left out", `${good}auth: {required: true}\n`, /"auth\.key" is missing;/],
  ["two keys of one name", `${good}description: Again\n`, /^warn t\.yaml:3:1 {2}The key "description" is there twice;/],
  ["__proto__", `${good}metadata: {__proto__: {a: 1}}\n`, /^warn t\.yaml:3:12 {2}The key "__proto__" is not allowed;/],
  ["a tag that makes objects", `${good}metadata: !!js/function 'x'\n`, /^warn t\.yaml:3:11 {2}Unresolved tag/],
  [
    "an alias that leads nowhere",
    `${good}metadata: *nowhere\n`,
    /^warn t\.yaml:3:11 {2}The alias "\*nowhere" refers to nothing before it;/,
  ],
  ["two documents", `${good}---\n${good}`, /multiple documents/],
];

for (const [what, text, line] of refused) {
  test(`capability file: ${what} is refused with its place`, async () => {
    const { names, lines } = await load({ "t.yaml": text, "good.yaml": good });
    assert.deepEqual(names, ["good"]);
    assert.equal(lines.length, 1, lines.join("\n"));
    assert.match(lines[0]!, line);
    assert.doesNotMatch(lines[0]!, /canary/);
  });
}

const skipped: readonly (readonly [string, string])[] = [
  [
    "description: d\nproviders: {primary: {service: grahpql, config: {query: a}}}\n",
    '2:23  service "grahpql" (did you mean "graphql"?)',
  ],
];

for (const [text, what] of skipped) {
  test(`capability file: ${what.slice(what.indexOf(" ") + 2)} is skipped for now, and the log says so`, async () => {
    assert.deepEqual(await load({ "t.yaml": text }), {
      names: [],
      lines: [`warn t.yaml:${what} is not active yet: the file is skipped`],
    });
  });
}

test("capability file: every key of the format is accepted", async () => {
  const { names, lines } = await load({
    "t.yaml": `${good.replace("providers: {", "providers: {fallback: [{service: mcp, config: {server: s, tool: t}}, {config: {base_url: http://b}}], other: {}, ")}fulcrum: "1.0"
cache: {strategy: exact, ttl: 300}
transform: {project: [a]}
response_transform: {rename: {a: b}}
projection: {actor: {id: x}}
visible_in_states: [a]
metadata:
  {category: c, tags: [t], cost_category: free, execution_time: fast, exposure: personal, identity_owner: {authority: key, subject: ada, label: Ada}, produces: [], consumes: [], chains_with: [x]}
auth: {required: false, type: none, scopes: [a], description: d, header: X, prefix: P, token_endpoint: null, shared_account: false}
`,
  });
  assert.deepEqual(names, ["t"]);
  assert.ok(lines.pop()?.endsWith('"cache" is only for capabilities with metadata.read_only and is ignored'));
  assert.deepEqual(lines, ['warn t.yaml:2:103  "providers.other" is not used: there are "primary" and "fallback"']);
});

test("capability file: everything that is wrong is said at once, in the order of the file", async () => {
  const { lines } = await load({
    "t.yaml": `name: bad-name
description: d
schema: {input: {properties: {city: {type: strnig}}, required: [ctiy]}}
providers:
  primary:
    timeout: -1
    config: {base_url: ftp://x, method: FETCH}
  fallback:
    - {config: {base_url: http://x, path: "/{citty}", param_map: {town: t}, pagination: {style: cursor}}}
    - {service: cli, config: {command: "{city} -rf", args: [x, ["--q", "{cty}"]]}}
    - {service: jsonrpc, config: {base_url: http://x}}
    - {service: graphql, config: {base_url: http://x}}
auth: {key: sk-canary, token_endpoint: nowhere}
`,
  });
  assert.equal(lines.length, 1);
  const problems = lines[0]!.replace(/^warn /, "").split("\n");
  assert.deepEqual(problems, [
    't.yaml:1:1  "name" must be only letters, digits and _',
    't.yaml:3:38  "schema.input.properties.city.type" must be one of string, number, integer, boolean, array, object, null: did you mean "string"?',
    't.yaml:3:65  "schema.input.required" has "ctiy", which "schema.input.properties" does not declare: did you mean "city"?',
    't.yaml:6:5  "providers.primary.timeout" must be >0',
    't.yaml:7:33  "providers.primary.config.method" must be an HTTP method',
    't.yaml:9:37  "providers.fallback.0.config.path" has "{citty}", which schema.input does not declare: did you mean "city"?',
    't.yaml:9:55  "providers.fallback.0.config.param_map" has "town", which schema.input does not declare',
    't.yaml:9:77  "providers.fallback.0.config.pagination.param" is missing: the query parameter that asks for the next part',
    't.yaml:9:77  "providers.fallback.0.config.pagination.next" is missing: where in the answer the next cursor is',
    't.yaml:10:31  "providers.fallback.1.config.command" must not have the argument "{city}": only {env.NAME} is allowed there',
    't.yaml:10:31  "providers.fallback.1.config.command" must be one program: its arguments belong into "args", no shell reads them',
    't.yaml:10:54  "providers.fallback.1.config.args" has "{cty}", which schema.input does not declare: did you mean "city"?',
    't.yaml:11:26  "providers.fallback.2.config.method" is missing',
    't.yaml:12:26  "providers.fallback.3.config.query" is missing',
    't.yaml:13:8  "auth.key" must say where the key is, e.g. env:API_KEY; a key itself does not belong in the file',
    't.yaml:13:24  "auth.token_endpoint" must be an http or https URL; the file is left out',
  ]);
});

test("capability file: harmless forms of later features say nothing", async () => {
  const quiet = `${good}cache: {strategy: none, ttl: 5}\nvisible_in_states: []\nwebhooks:\nauth:\nmetadata: {exposure: shared}\n`;
  assert.deepEqual(await load({ "t.yaml": quiet }), { names: ["t"], lines: [] });
});

test("capability file: an unknown key is a warning that names the nearest one", async () => {
  const { names, lines } = await load({
    "t.yaml": `${good}metadta: {}\nauth: {hedder: X, colour: red}\nschema: {inputs: {}}\n`,
  });
  assert.deepEqual(names, ["t"]);
  assert.deepEqual(lines, [
    'warn t.yaml:3:1  "metadta" is not a key of capability files: did you mean "metadata"?',
    'warn t.yaml:5:10  "schema.inputs" is not a key of capability files: did you mean "input"?',
    'warn t.yaml:4:8  "auth.hedder" is not a key of capability files: did you mean "header"?',
    'warn t.yaml:4:19  "auth.colour" is not a key of capability files and is ignored',
  ]);
});

test("tool: carries title, schemas and annotations of the file", async () => {
  await using folder = await Folder.with({
    "a.yml": `name: star_maps\n${good}schema: {input: {properties: {q: {type: string}}}, output: {properties: {a: {}}}}\nmetadata: {read_only: true, open_world: false}\n`,
    "b.yaml": good,
  });
  await using upstream = upstreamOver([folder.path]);
  const [b, a] = await listTools(upstream);
  assert.deepEqual(a, {
    name: "star_maps",
    title: "Star maps",
    description: "Works",
    inputSchema: { type: "object", properties: { q: { type: "string" } } },
    outputSchema: { type: "object", properties: { a: {} } },
    annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  });
  assert.deepEqual(b, {
    name: "b",
    title: "B",
    description: "Works",
    inputSchema: { type: "object" },
    annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true },
  });
});
