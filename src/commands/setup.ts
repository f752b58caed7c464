import type { Command } from "./command.ts";
import { discover } from "./discover.ts";

const clientIds =
  "claude-code, claude-desktop, cursor, vs-code-copilot, windsurf, cline, zed, codex, continue, generic or all";

const wizard = {
  meta: { name: "wizard", description: "Import the MCP servers of the AI clients on this machine" },
  args: {
    yes: { type: "boolean", alias: "y", description: "Ask nothing: take all servers and the defaults" },
    output: { type: "string", alias: "o", valueHint: "path", description: "Configuration file to write" },
    "configure-client": { type: "boolean", description: "Then tell the clients about the gateway (setup export)" },
    "keep-secrets": { type: "boolean", description: "Leave secrets in the file instead of moving them to an env file" },
    processes: {
      type: "boolean",
      default: true,
      description: "Look at running programs too",
      negativeDescription: "Do not look at running programs",
    },
    "dry-run": { type: "boolean", description: "Show what would be written and write nothing" },
    json: { type: "boolean", description: "As JSON; asks nothing" },
  },
  run: async (input) => (await import("./run/setup-wizard.ts")).run(input),
} satisfies Command;

const exportTo = {
  meta: { name: "export", description: "Tell AI clients on this machine about the gateway" },
  args: {
    target: { type: "string", alias: "t", valueHint: "client", default: "all", description: clientIds },
    mode: {
      type: "enum",
      alias: "m",
      options: ["auto", "proxy", "stdio"],
      default: "auto",
      description: "proxy connects to the running gateway, stdio starts one; auto looks whether it runs",
    },
    name: { type: "string", alias: "n", valueHint: "name", default: "gateway", description: "Name of the entry" },
    remove: { type: "boolean", description: "Take the entry out again" },
    rollback: { type: "string", valueHint: "backup", description: "Put a backup back" },
    watch: { type: "boolean", alias: "w", description: "Stay, and follow changes of the configuration" },
    "dry-run": { type: "boolean", description: "Show the changes and write nothing" },
    json: { type: "boolean", description: "As JSON" },
  },
  run: async (input) => (await import("./run/setup-export.ts")).run(input),
} satisfies Command;

export const setup = {
  meta: { name: "setup", description: "Import servers from AI clients, and tell the clients about the gateway" },
  subCommands: { wizard, export: exportTo, discover },
} satisfies Command;
