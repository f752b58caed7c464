/** Independent clients list, search and invoke tools of the three quick-start servers, over HTTP and over stdio. */
import assert from "node:assert/strict";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { binaryPath, environmentIn, type GatewayProcess, serverScript, startGateway, writeConfig } from "./harness.ts";
import { type Peer, peers, type Target, type ToolResult } from "./peers.ts";

const scratch = join(tmpdir(), `mcp-gateway-clients-${process.pid}`);
const note = join(scratch, "note.txt");
const config = {
  capabilities: { enabled: false },
  backends: {
    everything: {
      description: "Reference server with one example of everything",
      command: ["node", serverScript("everything"), "stdio"],
    },
    filesystem: {
      description: "Files of one scratch folder",
      command: ["node", serverScript("filesystem"), scratch],
    },
    memory: {
      description: "Knowledge graph",
      command: ["node", serverScript("memory")],
      env: { MEMORY_FILE_PATH: join(scratch, "memory.jsonl") },
    },
  },
};

interface Task {
  readonly server: string;
  /** What a model would ask for, and the tool it must find among the first three. */
  readonly query: string;
  readonly tool: string;
  readonly args: Record<string, unknown>;
  readonly answer: RegExp;
}

const tasks: Task[] = [
  {
    server: "everything",
    query: "echo a message back",
    tool: "echo",
    args: { message: "anyone there" },
    answer: /Echo: anyone there/,
  },
  {
    server: "filesystem",
    query: "read the text of a file",
    tool: "read_text_file",
    args: { path: note },
    answer: /remember the milk/,
  },
  {
    server: "memory",
    query: "create entities in the knowledge graph",
    tool: "create_entities",
    args: { entities: [{ name: "Ada", entityType: "person", observations: ["writes programs"] }] },
    answer: /Ada|\[\]/,
  },
];

let gateway: GatewayProcess;
const stdioHome = writeConfig(config);
const targets: Record<string, () => Target> = {
  HTTP: () => ({ url: `${gateway.url}/mcp` }),
  stdio: () => ({
    command: binaryPath,
    args: ["serve", "--stdio", "--config", stdioHome.configPath],
    env: environmentIn(stdioHome.folder),
  }),
};

before(async () => {
  mkdirSync(scratch, { recursive: true });
  writeFileSync(note, "remember the milk\n");
  gateway = await startGateway(config);
});
after(async () => {
  await gateway?.stop();
  for (const folder of [scratch, stdioHome.folder]) rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
});

function textOf(result: ToolResult): string {
  return result.content.map(({ text }) => text ?? "").join("\n");
}

function metaTool(peer: Peer, name: string, args: Record<string, unknown>): Promise<string> {
  return peer.callTool(name, args).then((result) => {
    assert.notEqual(result.isError, true, `${name} ${JSON.stringify(args)}: ${textOf(result)}`);
    return textOf(result);
  });
}

for (const [peerName, connect] of Object.entries(peers)) {
  for (const [targetName, target] of Object.entries(targets)) {
    test(`${peerName} over ${targetName}: lists, searches and invokes tools of three servers`, async () => {
      const peer = await connect(target());
      try {
        assert.deepEqual((await peer.listTools()).sort(), [
          "gateway_invoke",
          "gateway_list_servers",
          "gateway_list_tools",
          "gateway_search_tools",
        ]);
        for (const { server, query, tool, args, answer } of tasks) {
          assert.match(await metaTool(peer, "gateway_list_tools", { server }), new RegExp(`"${tool}"`));
          const found = JSON.parse(await metaTool(peer, "gateway_search_tools", { query, limit: 3 })) as {
            matches: { server: string; tool: string }[];
          };
          assert.ok(
            found.matches.some((match) => match.server === server && match.tool === tool),
            `${server}:${tool} is not among the matches for "${query}": ${JSON.stringify(found)}`,
          );
          assert.match(await metaTool(peer, "gateway_invoke", { server, tool, arguments: args }), answer);
        }
      } finally {
        await peer.close();
      }
    });
  }
}

test("SDK client v1 on /mcp/{backend}: one server alone, under its own names", async () => {
  const peer = await peers["SDK client v1"]!({ url: `${gateway.url}/mcp/everything` });
  try {
    assert.ok((await peer.listTools()).includes("get-sum"));
    assert.match(textOf(await peer.callTool("get-sum", { a: 20, b: 22 })), /42/);
  } finally {
    await peer.close();
  }
});

test("SDK client v1: a wrong tool name is answered with the nearest one", async () => {
  const peer = await peers["SDK client v1"]!({ url: `${gateway.url}/mcp` });
  try {
    const result = await peer.callTool("gateway_invoke", { server: "everything", tool: "ecko", arguments: {} });
    assert.equal(result.isError, true);
    assert.match(textOf(result), /Did you mean.*echo/i);
  } finally {
    await peer.close();
  }
});
