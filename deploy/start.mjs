/**
 * `npm start`: from a clean clone to a gateway with three real servers, and the lines that connect a client to it.
 * Arguments after `--` go to `mcp-gateway serve`.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { binaryPath, ensureBuilt, ensureInstalled, root, runInForeground } from "./tools.mjs";

const scratch = join(root, ".scratch", "quick-start");
const filesFolder = join(scratch, "files");

ensureInstalled();
ensureBuilt();
mkdirSync(filesFolder, { recursive: true });
writeFileSync(join(filesFolder, "hello.txt"), "Hello from the quick start of MCP Gateway.\n");
const configPath = join(scratch, "gateway.yaml");
writeFileSync(configPath, quickStartConfig());

const args = process.argv.slice(2);
const port = option("--port", "-p") ?? process.env.MCP_GATEWAY_PORT ?? "39400";
const gateway = runInForeground(binaryPath, ["serve", "--config", configPath, ...args], {
  // The quick start leaves nothing in the home folder.
  env: { MCP_GATEWAY_CONFIG_DIR: join(scratch, "state"), ...process.env },
});
if (!args.includes("--stdio")) await announce();

function option(...names) {
  const at = args.findIndex((arg) => names.some((name) => arg === name || arg.startsWith(`${name}=`)));
  if (at < 0) return undefined;
  return args[at].includes("=") ? args[at].slice(args[at].indexOf("=") + 1) : args[at + 1];
}

async function announce() {
  const url = `http://localhost:${port}`;
  for (let attempt = 0; attempt < 100 && gateway.exitCode === null; attempt++) {
    await sleep(100);
    const health = await fetch(`http://127.0.0.1:${port}/health`).catch(() => undefined);
    // A port taken by another program answers too, while our own gateway is on its way out.
    if (!health || gateway.exitCode !== null) continue;
    console.error(`
MCP Gateway serves everything, filesystem and memory on ${url}/mcp (configuration: ${configPath})

  Claude Code:    claude mcp add --transport http gateway ${url}/mcp
  Other clients:  ${JSON.stringify({ mcpServers: { gateway: { type: "http", url: `${url}/mcp` } } })}

Ctrl-C stops it.`);
    return;
  }
}

function quickStartConfig() {
  const quoted = JSON.stringify;
  const command = (name, ...rest) => quoted([process.execPath, serverScript(name), ...rest]);
  return `# Written anew by every "npm start": copy this file to keep changes.
server:
  host: 127.0.0.1
  port: 39400
backends:
  everything:
    description: Reference server with one example of everything the protocol offers
    command: ${command("everything", "stdio")}
  filesystem:
    description: Read, write, search and edit the files of one scratch folder
    command: ${command("filesystem", filesFolder)}
  memory:
    description: Knowledge graph that remembers entities, relations and observations
    command: ${command("memory")}
    env:
      MEMORY_FILE_PATH: ${quoted(join(scratch, "memory.jsonl"))}
`;
}

function serverScript(name) {
  const manifest = join(root, "node_modules", "@modelcontextprotocol", `server-${name}`, "package.json");
  const { bin } = JSON.parse(readFileSync(manifest, "utf8"));
  return join(dirname(manifest), bin[`mcp-server-${name}`]);
}
