import assert from "node:assert/strict";
import { test } from "node:test";
import { candidatesAmong, runningServers } from "../../src/setup/process-scan.ts";
import { sdkV1Streamable } from "../fixtures/sdk-servers.ts";

const running = (...lines: string[]) => lines.map((line, at) => ({ pid: at + 1, argv: line.split(" ") }));

test("candidatesAmong: programs named like an MCP server that say their port, each port once, never the gateway", () => {
  const found = candidatesAmong(
    running(
      "node /srv/mcp-server-files.js --port 4001",
      "/usr/bin/python3 -m my_mcp --port=4002",
      "uvx mcp-server-fetch -p 4003",
      "npx mcp-x 127.0.0.1:4004",
      "node /srv/mcp-server-files.js --port 4001",
      "/opt/pieces-os",
      "surreal start",
      "mcp-gateway serve --port 39400",
      "node mcp-without-port.js",
      "node server.js --port 4005",
      "node /x/node_modules/@modelcontextprotocol/server-everything/dist/index.js --port 4006",
      "vim mcp.txt",
      "mcp-x --port 99999",
    ),
  );
  assert.deepEqual(
    found.map(({ name, port }) => `${name} ${port}`),
    [
      "mcp-server-files 4001",
      "my_mcp 4002",
      "mcp-server-fetch 4003",
      "mcp-x 4004",
      "pieces-os 39300",
      "surreal 8000",
      "server-everything 4006",
    ],
  );
});

test("runningServers: only what answers as an MCP server is one", async (t) => {
  const server = await sdkV1Streamable({ enableJsonResponse: true });
  t.after(() => server.close());
  const { port } = new URL(server.url);
  const found = await runningServers(running(`node mcp-here.js --port ${port}`, "node mcp-gone.js --port 9"));
  assert.deepEqual(
    found.map(({ name, entry }) => [name, entry]),
    [["mcp-here", { http_url: `http://127.0.0.1:${port}/mcp` }]],
  );
});
