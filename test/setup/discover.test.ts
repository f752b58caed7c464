// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references as files have them
import assert from "node:assert/strict";
import { chmodSync } from "node:fs";
import { test } from "node:test";
import { type Discovery, discover } from "../../src/setup/discover.ts";
import { type Home, home } from "./fixture.ts";

const options = { own: { port: 39_400, publicHost: "gw.example" }, reserved: ["gateway"], processes: false };
const found = (at: Home) => discover(at.machine, options);
const entries = ({ servers }: Discovery) => Object.fromEntries(servers.map(({ name, entry }) => [name, entry]));

test("discover: Claude Desktop and Claude Code, for the user, the project and the folder, with what each fills in", async (t) => {
  const at = home(t);
  at.write(
    ".config/Claude/claude_desktop_config.json",
    JSON.stringify({
      mcpServers: { files: { command: "npx", args: ["-y", "server-filesystem", "/My Files"], env: { A: 1 } } },
    }),
  );
  at.write(
    ".claude.json",
    JSON.stringify({
      numStartups: 3,
      mcpServers: { docs: { type: "http", url: "https://docs.example/mcp", headers: { "X-Key": "${DOCS_KEY}" } } },
      projects: {
        [at.machine.cwd]: { mcpServers: { mine: { command: "./run.sh" } } },
        "/else": { mcpServers: { x: {} } },
      },
    }),
  );
  at.write(
    "project/.mcp.json",
    '{"mcpServers": {"team": {"command": "node", "args": ["../team.js"], "env": {"R": "${ROOT:-/r}"}}}}',
  );
  assert.deepEqual(entries(await found(at)), {
    team: { command: "node ../team.js", cwd: at.machine.cwd, env: { R: "${ROOT:-/r}" } },
    mine: { command: "./run.sh", cwd: at.machine.cwd },
    docs: { http_url: "https://docs.example/mcp", headers: { "X-Key": "${DOCS_KEY}" } },
    files: { command: "npx -y server-filesystem '/My Files'", env: { A: "1" } },
  });
});

test("discover: Cursor, VS Code, Windsurf and Cline, their variables turned into ours", async (t) => {
  const at = home(t);
  at.write(
    ".cursor/mcp.json",
    '{"mcpServers": {"cur": {"command": "${userHome}/bin/srv", "env": {"T": "${env:CUR_T}"}}}}',
  );
  at.write(
    "project/.vscode/mcp.json",
    `\ufeff{\r\n\t// VS Code\r\n\t"inputs": [{"id": "api-key", "type": "promptString"}],\r\n\t"servers": {
      "far": {"command": "npx", "args": ["-y", "mcp-remote@latest", "https://far.example/mcp"]},
      "code": {"type": "stdio", "command": "srv", "args": ["\${workspaceFolder}/x"], "envFile": ".env"},
      "web": {"url": "https://web.example/mcp", "headers": {"Authorization": "Bearer \${input:api-key}"}},\r\n\t},\r\n}`,
  );
  at.write(
    ".config/Code/User/settings.json",
    '{"editor.x": 1, /* old */ "mcp": {"servers": {"old": {"command": "old-srv"}}}}',
  );
  at.write(".codeium/windsurf/mcp_config.json", '{"mcpServers": {"surf": {"serverUrl": "https://surf.example/sse"}}}');
  at.write(
    ".config/Code/User/globalStorage/saoudrizwan.claude-dev/settings/cline_mcp_settings.json",
    '{"mcpServers": {"cl": {"command": "cl", "args": [], "disabled": true, "autoApprove": []}}}',
  );
  const discovery = await found(at);
  assert.deepEqual(entries(discovery), {
    cur: { command: `${at.machine.home}/bin/srv`, env: { T: "${CUR_T}" } },
    far: { command: "npx -y mcp-remote@latest https://far.example/mcp" },
    code: { command: `srv ${at.machine.cwd}/x` },
    web: { http_url: "https://web.example/mcp", headers: { Authorization: "Bearer ${API_KEY}" } },
    old: { command: "old-srv" },
    surf: { http_url: "https://surf.example/sse" },
    cl: { command: "cl", enabled: false },
  });
  assert.deepEqual(
    discovery.servers.flatMap(({ name, notes }) => notes.map((note) => `${name} ${note}`)),
    [
      'far is a bridge to far.example: the gateway can connect there itself, as "http_url"',
      'code reads .env: name it in "env_files"',
      "web asks for a value: set API_KEY in the environment",
    ],
  );
});

test("discover: Zed in both its forms, Continue in three, Codex's TOML, ~/.config/mcp and MCP_SERVER_*_URL", async (t) => {
  const at = home(t, "linux", { MCP_SERVER_MY_DOCS_URL: "http://docs.local/mcp", MCP_SERVER_BAD_URL: "no url" });
  at.write(
    ".config/zed/settings.json",
    '// Zed\n{"theme": "x", "context_servers": {"z1": {"command": {"path": "uvx", "args": ["a"], "env": null}}, "z2": {"source": "custom", "command": "b", "args": [], "env": {}},}}',
  );
  at.write(
    ".continue/config.yaml",
    "name: mine\nmcpServers:\n  - name: c1\n    command: npx\n    args: [-y, c]\n    env: {K: '${{ secrets.C_KEY }}'}\n  - name: c2\n    type: streamable-http\n    url: https://c2.example/mcp\n    requestOptions: {headers: {X: y}}\n",
  );
  at.write(
    ".continue/config.json",
    '{"experimental": {"modelContextProtocolServers": [{"transport": {"type": "stdio", "command": "c3", "args": ["q"]}}]}}',
  );
  at.write("project/.continue/mcpServers/more.yaml", "mcpServers:\n  - {name: c4, command: c4}\n");
  at.write(
    ".codex/config.toml",
    'model = "x"\n[mcp_servers.x1]\ncommand = "npx"\nargs = ["-y", "x"]\nenv_vars = ["HOST_KEY"]\nstartup_timeout_sec = 2.5\n[mcp_servers.x1.env]\nA = "1"\n[mcp_servers.x2]\nurl = "https://x2.example/mcp"\nbearer_token_env_var = "X2"\nhttp_headers = { "H" = "v" }\nenv_http_headers = { "E" = "EV" }\nenabled = false\n',
  );
  at.write(".config/mcp/mcp.json", '{"mcpServers": {"gen": {"command": "gen"}}}');
  assert.deepEqual(entries(await found(at)), {
    z1: { command: "uvx a" },
    z2: { command: "b" },
    x1: { command: "npx -y x", start_timeout: "2500ms", env: { HOST_KEY: "${HOST_KEY}", A: "1" } },
    x2: {
      http_url: "https://x2.example/mcp",
      enabled: false,
      headers: { H: "v", E: "${EV}", Authorization: "Bearer ${X2}" },
    },
    c1: { command: "npx -y c", env: { K: "${C_KEY}" } },
    c2: { http_url: "https://c2.example/mcp", headers: { X: "y" } },
    "server-1": { command: "c3 q" },
    c4: { command: "c4" },
    gen: { command: "gen" },
    "my-docs": { http_url: "http://docs.local/mcp" },
  });
});

test("discover: the places of macOS and Windows", async (t) => {
  const mac = home(t, "darwin");
  const support = "Library/Application Support";
  mac.write(`${support}/Claude/claude_desktop_config.json`, '{"mcpServers": {"a": {"command": "a"}}}');
  mac.write(`${support}/Code/User/mcp.json`, '{"servers": {"b": {"command": "b"}}}');
  mac.write(`${support}/Zed/settings.json`, '{"context_servers": {"c": {"command": "c"}}}');
  assert.deepEqual(Object.keys(entries(await found(mac))), ["a", "b", "c"]);
  const windows = home(t, "win32");
  windows.write(
    "AppData/Roaming/Claude/claude_desktop_config.json",
    '{"mcpServers": {"a": {"command": "cmd", "args": ["/c", "npx"]}}}',
  );
  windows.write("AppData/Roaming/Zed/settings.json", '{"context_servers": {"c": {"command": "C:\\\\p q\\\\c.exe"}}}');
  assert.deepEqual(entries(await found(windows)), { a: { command: "cmd /c npx" }, c: { command: "'C:\\p q\\c.exe'" } });
});

test("discover: where variables say that settings are elsewhere", async (t) => {
  const at = home(t);
  const { env, ...machine } = at.machine;
  at.write("cc/.claude.json", '{"mcpServers": {"a": {"command": "a"}}}');
  at.write("cx/config.toml", '[mcp_servers.b]\ncommand = "b"\n');
  at.write("xdg/zed/settings.json", '{"context_servers": {"c": {"command": "c"}}}');
  at.write("xdg/Code/User/mcp.json", '{"servers": {"d": {"command": "d"}}}');
  const named = { CLAUDE_CONFIG_DIR: at.path("cc"), CODEX_HOME: at.path("cx"), XDG_CONFIG_HOME: at.path("xdg") };
  const discovery = await discover({ ...machine, env: { ...env, ...named } }, options);
  assert.deepEqual(Object.keys(entries(discovery)).sort(), ["a", "b", "c", "d"]);
});

test("discover: doubles are one server, two accounts are two, names are made free, the gateway is never its own server", async (t) => {
  const at = home(t);
  const github = (token: string) => ({ command: "npx", args: ["-y", "gh"], env: { TOKEN: token } });
  const write = (path: string, mcpServers: object) => at.write(path, JSON.stringify({ mcpServers }));
  write(".claude.json", {
    github: github("one"),
    gateway: { type: "http", url: "http://localhost:39400/mcp" },
    other: { url: "http://localhost/mcp" },
  });
  write(".config/Claude/claude_desktop_config.json", {
    gh: { command: "npx", args: ["-y", "gh"] },
    gateway: { command: "/opt/homebrew/bin/mcp-gateway", args: ["serve", "--stdio"] },
    npx: { command: "npx", args: ["-y", "mcp-gateway@1.2.3"] },
    bridge: { command: "npx", args: ["-y", "mcp-remote", "http://127.0.0.1:39400/mcp"] },
    published: { url: "https://gw.example/mcp" },
  });
  write(".cursor/mcp.json", { github: github("two"), gateway: { command: "else" }, "a/b c": { url: "http://x/mcp/" } });
  write(".codeium/windsurf/mcp_config.json", { x: { serverUrl: "http://X/mcp" }, constructor: { command: "c" } });
  const { servers, counts } = await found(at);
  assert.deepEqual(
    servers.map(({ name, sources }) => `${name}: ${sources.map(({ title }) => title).join(", ")}`),
    [
      "github: Claude Code, Claude Desktop",
      "other: Claude Code",
      "github-cursor: Cursor",
      "gateway-cursor: Cursor",
      "a-b-c: Cursor, Windsurf",
      "server-constructor: Windsurf",
    ],
  );
  assert.deepEqual(
    counts.map(({ title, count }) => [title, count]),
    [
      ["Claude Code", 2],
      ["Claude Desktop", 1],
      ["Cursor", 3],
      ["Windsurf", 2],
    ],
  );
});

test("discover: what cannot be read is named with its place and keeps nothing else from being found", async (t) => {
  const at = home(t);
  at.write(".cursor/mcp.json", '{\n  "mcpServers": {"a": {}\n');
  at.write(".codex/config.toml", "a = 1\nb = \n");
  at.write(".continue/config.yaml", "a: [\n");
  at.write("project/.mcp.json", '{"mcpServers": {"ok": {"command": "ok"}, "no": {"type": "stdio"}, "str": "x"}}');
  const { servers, problems } = await found(at);
  assert.deepEqual(
    servers.map(({ name }) => name),
    ["ok"],
  );
  const { home: folder } = at.machine;
  assert.deepEqual(problems.slice(0, 4), [
    '.mcp.json  "no" has neither a command nor a URL',
    '.mcp.json  "str" is not an object',
    `${folder}/.cursor/mcp.json:2:17  this object is never closed`,
    `${folder}/.codex/config.toml:2:5  a value is missing`,
  ]);
  assert.match(problems[4] as string, /\.continue\/config\.yaml:\d+:\d+ {2}/);
  if (process.getuid?.() !== 0) {
    chmodSync(at.path(".cursor/mcp.json"), 0o000);
    assert.match((await found(at)).problems.join("\n"), /cannot be read: .*EACCES/);
  }
});
