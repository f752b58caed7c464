// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references as files have them
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { parseEnvFile } from "../../src/config/env-file.ts";
import type { Settings } from "../../src/config/path.ts";
import { type ImportRequest, planImport } from "../../src/setup/import-plan.ts";
import { loadText, temporaryFolder } from "../config/fixture.ts";

const server = (name: string, entry: Settings) => ({ name, entry, sources: [], notes: [] });
const plan = (request: Partial<ImportRequest>) =>
  planImport({
    text: "",
    label: "gateway.yaml",
    servers: [],
    env: {},
    envFile: { name: "gateway.env", text: "" },
    ...request,
  });

const github = "ghp_0123456789abcdefghijABCDEFGHIJ012345";

test("planImport: secrets go to the env file from wherever they stand, and come back when both files are loaded", async (t) => {
  const servers = [
    server("gh", { command: "npx -y gh", env: { GH_TOKEN: github, LEVEL: "debug" } }),
    server("gh-2", { command: "npx -y gh --api-key 0123456789abcdef0123", env: { GH_TOKEN: `x"y\\${github}` } }),
    server("web", {
      http_url: "https://me:pa55word@web.example/mcp?apiKey=abcdef0123456789",
      headers: { Authorization: "Bearer tok-123", "X-Api-Key": "k", Accept: "a/b", "X-Ref": "${MINE}" },
    }),
    server("db", { command: "npx -y pg postgres://u:p@localhost/db" }),
  ];
  const { text, envText = "", variables, added } = await plan({ text: "# mine\nserver: {port: 1}\n", servers });
  assert.equal(added.length, 4);
  assert.doesNotMatch(text, /ghp_|pa55|abcdef0123|tok-123|: k$|u:p/m);
  assert.ok(text.startsWith("# mine\nserver: {port: 1}\n"), text);
  assert.deepEqual(variables, [
    "GH_TOKEN",
    "GH_2_GH_TOKEN",
    "GH_2_API_KEY",
    "WEB_TOKEN",
    "X_API_KEY",
    "WEB_LOGIN",
    "WEB_URL_KEY",
    "DB_LOGIN",
  ]);
  assert.deepEqual(Object.keys(parseEnvFile(envText)), variables);
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, "gateway.env"), envText);
  const { config, warnings } = await loadText(t, text, { folder, env: { MINE: "m" } });
  assert.deepEqual(warnings, []);
  assert.deepEqual(config.backends["gh"]?.env, { GH_TOKEN: github, LEVEL: "debug" });
  assert.deepEqual(config.backends["gh-2"]?.env, { GH_TOKEN: `x"y\\${github}` });
  assert.deepEqual(config.backends["gh-2"]?.command, ["npx", "-y", "gh", "--api-key", "0123456789abcdef0123"]);
  assert.equal(config.backends["web"]?.http_url, "https://me:pa55word@web.example/mcp?apiKey=abcdef0123456789");
  assert.deepEqual(config.backends["web"]?.headers, {
    Authorization: "Bearer tok-123",
    "X-Api-Key": "k",
    Accept: "a/b",
    "X-Ref": "m",
  });
  assert.deepEqual(config.backends["db"]?.command, ["npx", "-y", "pg", "postgres://u:p@localhost/db"]);
});

test("planImport: what is there already is skipped, by name and by what it leads to, also through variables", async () => {
  const servers = [
    server("gh", { command: "else" }),
    server("other", { http_url: "https://a.example/mcp?apiKey=abcdef0123456789" }),
    server("bad/name", { command: "z" }),
    server("new", { command: "y" }),
  ];
  const text = "backends:\n  gh: {command: x}\n  a: {http_url: 'https://a.example/mcp?apiKey=${KEY}'}\n";
  const result = await plan({ text, servers, envFile: { name: "gateway.env", text: "KEY=abcdef0123456789\n" } });
  assert.deepEqual(
    result.skipped.map(({ name, reason }) => `${name}: ${reason}`),
    [
      "gh: already in config",
      "other: already in config as 'a'",
      'bad/name: backends."bad/name" needs a name that is not empty and has no "/", "\\" or ":"',
    ],
  );
  assert.equal(result.text, `${text}  new:\n    command: y\n`);
  assert.equal(result.envText, undefined);
});

test("planImport: an env file that is there is added to, its variables keep their values", async () => {
  const text = "env_files:\n  # others\n  - other.env # why\nbackends: {}\n";
  const envFile = { name: "gateway.env", text: "# mine\nTOKEN=old" };
  const servers = [server("a", { command: "x", env: { TOKEN: "new" } })];
  const result = await plan({ text, servers, envFile });
  assert.equal(result.envText, '# mine\nTOKEN=old\nA_TOKEN="new"\n');
  assert.equal(
    result.text,
    "env_files:\n  # others\n  - other.env # why\n  - gateway.env\nbackends:\n  a:\n    command: x\n    env:\n      TOKEN: ${A_TOKEN}\n",
  );
  const plain = await plan({ servers, envFile: undefined });
  assert.equal(plain.text, "backends:\n  a:\n    command: x\n    env:\n      TOKEN: new\n");
  assert.deepEqual([plain.envText, plain.variables], [undefined, []]);
});

test("planImport: what a known server had from its client's environment is named", async () => {
  const servers = [
    server("search", { command: "npx -y tavily-mcp@0.2.1" }),
    server("mine", { command: "uvx semgrep-mcp", env: { SEMGREP_APP_TOKEN: "s" } }),
    server("unknown", { command: "npx -y else" }),
  ];
  const { text } = await plan({
    servers,
    env: { TAVILY_API_KEY: "k", SEMGREP_APP_TOKEN: "other" },
    envFile: undefined,
  });
  assert.equal(
    text,
    "backends:\n  search:\n    command: npx -y tavily-mcp@0.2.1\n    env:\n      TAVILY_API_KEY: ${TAVILY_API_KEY}\n  mine:\n    command: uvx semgrep-mcp\n    env:\n      SEMGREP_APP_TOKEN: s\n  unknown:\n    command: npx -y else\n",
  );
});

test("planImport: a server that is a replica is there already", async () => {
  const text = "backends:\n  a: { replicas: [{ http_url: http://one/mcp }, { command: npx -y two }] }\n";
  const servers = [server("x", { http_url: "http://one/mcp" }), server("y", { command: "npx -y two" })];
  const { skipped, added } = await plan({ text, servers });
  assert.deepEqual(added, []);
  assert.deepEqual(
    skipped.map(({ reason }) => reason),
    ["already in config as 'a'", "already in config as 'a'"],
  );
});
