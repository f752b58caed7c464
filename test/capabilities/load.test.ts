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
  ["no description", "providers: {}\n", /^warn t\.yaml:1:1 {2}"description" is missing; the file is left out$/],
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
    /config\.path" has "\{yeer\}", which schema\.input does not declare;/,
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
  ["description: d\nproviders:\n  primary:\n    service: graphql\n", '4:5  service "graphql"'],
  ["description: d\nproviders: {primary: {service: cli, config: {command: gws, args: [a]}}}\n", '2:23  service "cli"'],
  [good.replace("config: {", "config: {response_format: xml, "), '2:32  response_format "xml"'],
  [`${good}auth: {type: oauth, key: "oauth:google", token_endpoint: x}\n`, "3:21  a key from oauth"],
  [`${good}auth: {type: api_key, key: "keychain:stripe"}\n`, "3:23  a key from keychain"],
  [good.replace("config: {", "config: {headers: {A: '{keychain.X}'}, "), "2:23  a key from keychain"],
  ["description: d\nproviders: {}\nwebhooks: {w: {path: /x}}\n", "3:1  a file with only webhooks"],
];

for (const [text, what] of skipped) {
  test(`capability file: ${what.slice(what.indexOf(" ") + 2)} is skipped for now, and the log says so`, async () => {
    assert.deepEqual(await load({ "t.yaml": text }), {
      names: [],
      lines: [`warn t.yaml:${what} is not active yet: the file is skipped`],
    });
  });
}

test("capability file: every key of the format is accepted, later features are named", async () => {
  const { names, lines } = await load({
    "t.yaml": `${good.replace("providers: {", "providers: {fallback: [{service: rest}], ")}fulcrum: "1.0"
cache: {strategy: exact, ttl: 300}
transform: {project: [a]}
response_transform: {rename: {a: b}}
projection: {actor: {id: x}}
webhooks: {w: {path: /x}}
sha256: abc
visible_in_states: [a]
metadata:
  {category: c, tags: [t], cost_category: free, execution_time: fast, exposure: personal, identity_owner: {}, produces: [], consumes: [], chains_with: [x]}
auth: {required: false, type: none, scopes: [a], description: d, header: X, prefix: P, token_endpoint: null, shared_account: false}
`,
  });
  assert.deepEqual(names, ["t"]);
  const later = lines.map((line) => /"(.+)" is not active yet and is ignored$/.exec(line)?.[1]);
  assert.deepEqual(later, [
    "transform",
    "response_transform",
    "projection",
    "webhooks",
    "sha256",
    "visible_in_states",
    "cache",
    "providers.fallback",
    "metadata.exposure",
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
