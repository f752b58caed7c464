import type { Command } from "./command.ts";

export const discover = {
  meta: { name: "discover", description: "List the MCP servers that AI clients on this machine have" },
  args: {
    format: { type: "enum", alias: "f", options: ["table", "json", "yaml"], default: "table", description: "As what" },
    shadow: { type: "boolean", description: "Only those that are not behind the gateway, and what that means" },
    "write-config": { type: "boolean", description: "Write them to a configuration of their own" },
    "config-path": {
      type: "string",
      valueHint: "path",
      default: "mcp-gateway-discovered.yaml",
      description: "Where to, never to a file that exists",
    },
    "gateway-config": { type: "string", valueHint: "path", description: "The same as --config" },
    processes: {
      type: "boolean",
      default: true,
      description: "Look at running programs too",
      negativeDescription: "Do not look at running programs",
    },
  },
  run: async (input) => (await import("./run/discover.ts")).run(input),
} satisfies Command;
