/** The AI clients we know: where each keeps its MCP servers, and how an entry for the gateway must look there. */
import type { Machine } from "../runtime/machine.ts";
import { join, resolve } from "../runtime/paths.ts";

export interface ClientFile {
  readonly path: string;
  readonly format: "json" | "toml" | "yaml";
  /** Paths of the maps (or lists) of servers in it. */
  readonly keys: readonly (readonly [string, ...string[]])[];
  /** The folder that tells whether the client is here, where it is not the one of the file. */
  readonly presence?: string;
  /** The folder the servers are for, where they are for one alone. */
  readonly project?: string;
}

/** How an entry says what the gateway is. */
export interface EntryStyle {
  /** Members of an entry that connects by URL; `undefined` where the client only starts programs. */
  remote?(url: string): Readonly<Record<string, unknown>>;
  /** Members beside `command` and `args`. */
  readonly program?: Readonly<Record<string, unknown>>;
  /** A variable as the client fills it in in headers; `undefined` where it does not. */
  variable?(name: string): string;
}

export interface AiClient {
  readonly id: string;
  readonly title: string;
  files(machine: Machine): readonly ClientFile[];
  /** The file an export goes to: the first whose folder exists, except where `always` makes it. */
  exports?(machine: Machine): readonly ClientFile[];
  readonly always?: boolean;
  readonly style: EntryStyle;
}

const servers = ["mcpServers"] as const;
const withUrl = (url: string) => ({ url });

/** Where programs keep the settings of a user. */
function settingsFolder({ platform, home, env }: Machine): string {
  if (platform === "darwin") return join(home, "Library", "Application Support");
  if (platform === "win32") return env["APPDATA"] || join(home, "AppData", "Roaming");
  return env["XDG_CONFIG_HOME"] || join(home, ".config");
}

const json = (path: string, ...keys: ClientFile["keys"]): ClientFile => ({ path, format: "json", keys });

function ofProject({ cwd }: Machine, path: string, key: string, format: ClientFile["format"] = "json"): ClientFile {
  return { path: resolve(cwd, path), format, keys: [[key]], project: cwd };
}

const codeFolders = ["Code", "Code - Insiders", "VSCodium"];

function codeUserFile(machine: Machine, product: string, ...path: string[]): string {
  return join(settingsFolder(machine), product, "User", ...path);
}

function clineFiles(machine: Machine): ClientFile[] {
  const storage = ["globalStorage", "saoudrizwan.claude-dev", "settings", "cline_mcp_settings.json"];
  return [
    ...codeFolders.map((product) => json(codeUserFile(machine, product, ...storage), servers)),
    json(join(machine.home, ".cline", "data", "settings", "cline_mcp_settings.json"), servers),
    ofProject(machine, ".cline/mcp_servers.json", "mcpServers"),
  ];
}

function zedFiles(machine: Machine): ClientFile[] {
  const { home, platform } = machine;
  const paths = [
    join(home, ".config", "zed", "settings.json"),
    join(settingsFolder(machine), platform === "linux" ? "zed" : "Zed", "settings.json"),
  ];
  return [...new Set(paths)].map((path) => json(path, ["context_servers"]));
}

function claudeFile({ home, env }: Machine): string {
  return join(env["CLAUDE_CONFIG_DIR"] || home, ".claude.json");
}

function codexFolder({ home, env }: Machine): string {
  return env["CODEX_HOME"] || join(home, ".codex");
}

export const clients: readonly AiClient[] = [
  {
    id: "claude-code",
    title: "Claude Code",
    files: (machine) => [
      ofProject(machine, ".mcp.json", "mcpServers"),
      { ...json(claudeFile(machine), ["projects", machine.cwd, "mcpServers"]), project: machine.cwd },
      json(claudeFile(machine), servers),
    ],
    exports: (machine) => [json(claudeFile(machine), servers)],
    always: true,
    style: { remote: (url) => ({ type: "http", url }), variable: (name) => `\${${name}}` },
  },
  {
    id: "claude-desktop",
    title: "Claude Desktop",
    files: (machine) => [json(join(settingsFolder(machine), "Claude", "claude_desktop_config.json"), servers)],
    exports: (machine) => [json(join(settingsFolder(machine), "Claude", "claude_desktop_config.json"), servers)],
    style: {},
  },
  {
    id: "cursor",
    title: "Cursor",
    files: (machine) => [
      ofProject(machine, ".cursor/mcp.json", "mcpServers"),
      json(join(machine.home, ".cursor", "mcp.json"), servers),
      json(codeUserFile(machine, "Cursor", "settings.json"), ["mcp", "servers"], ["mcp", "mcpServers"]),
    ],
    exports: (machine) => [
      ofProject(machine, ".cursor/mcp.json", "mcpServers"),
      json(join(machine.home, ".cursor", "mcp.json"), servers),
    ],
    style: { remote: withUrl, variable: (name) => `\${env:${name}}` },
  },
  {
    id: "vs-code-copilot",
    title: "VS Code",
    files: (machine) => [
      ofProject(machine, ".vscode/mcp.json", "servers"),
      ...codeFolders.flatMap((product) => [
        json(codeUserFile(machine, product, "mcp.json"), ["servers"]),
        json(codeUserFile(machine, product, "settings.json"), ["mcp", "servers"], ["mcp.servers"]),
      ]),
    ],
    exports: (machine) => [
      ofProject(machine, ".vscode/mcp.json", "servers"),
      ...codeFolders.map((product) => json(codeUserFile(machine, product, "mcp.json"), ["servers"])),
    ],
    style: {
      remote: (url) => ({ type: "http", url }),
      program: { type: "stdio" },
      variable: (name) => `\${env:${name}}`,
    },
  },
  {
    id: "windsurf",
    title: "Windsurf",
    files: (machine) => [
      json(join(machine.home, ".codeium", "windsurf", "mcp_config.json"), servers),
      json(join(settingsFolder(machine), "Windsurf", "windsurf_config.json"), servers),
    ],
    exports: (machine) => [json(join(machine.home, ".codeium", "windsurf", "mcp_config.json"), servers)],
    style: { remote: (url) => ({ serverUrl: url }), variable: (name) => `\${env:${name}}` },
  },
  {
    id: "cline",
    title: "Cline",
    files: clineFiles,
    exports: clineFiles,
    style: { remote: (url) => ({ type: "streamableHttp", url, disabled: false }) },
  },
  {
    id: "zed",
    title: "Zed",
    files: (machine) => [...zedFiles(machine), ofProject(machine, ".zed/settings.json", "context_servers")],
    exports: zedFiles,
    style: { remote: withUrl, program: { env: {} } },
  },
  {
    id: "codex",
    title: "Codex",
    files: (machine) => [
      ofProject(machine, ".codex/config.toml", "mcp_servers", "toml"),
      { path: join(codexFolder(machine), "config.toml"), format: "toml", keys: [["mcp_servers"]] },
      json(join(codexFolder(machine), "config.json"), servers),
    ],
    exports: (machine) => [
      { path: join(codexFolder(machine), "config.toml"), format: "toml", keys: [["mcp_servers"]] },
    ],
    style: { remote: withUrl },
  },
  {
    id: "continue",
    title: "Continue",
    files: ({ home }) => [
      { path: join(home, ".continue", "config.yaml"), format: "yaml", keys: [servers] },
      json(join(home, ".continue", "config.json"), ["experimental", "modelContextProtocolServers"], servers),
    ],
    // A file of our own, which Continue reads beside its own.
    exports: ({ home }) => [
      {
        ...json(join(home, ".continue", "mcpServers", "mcp-gateway.json"), servers),
        presence: join(home, ".continue"),
      },
    ],
    style: { remote: (url) => ({ type: "http", url }) },
  },
];

/** Folders whose every `.json` file may hold servers, whoever wrote it; Continue also takes YAML there. */
export function serverFolders(machine: Machine): readonly { title: string; folder: string; project?: string }[] {
  const { home, cwd } = machine;
  return [
    { title: "Continue", folder: resolve(cwd, ".continue/mcpServers"), project: cwd },
    { title: "Continue", folder: join(home, ".continue", "mcpServers") },
    { title: "~/.config/mcp", folder: join(home, ".config", "mcp") },
  ];
}
