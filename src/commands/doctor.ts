import type { Command } from "./command.ts";

export const doctor = {
  meta: { name: "doctor", description: "Find out what is wrong, and with --fix put it right" },
  args: {
    fix: { type: "boolean", description: "Do what can be done without asking, then look again" },
    quick: { type: "boolean", description: "Start no backend and ask none" },
    timeout: { type: "string", valueHint: "time", default: "20s", description: "What each backend gets to answer" },
    format: { type: "enum", alias: "f", options: ["table", "json", "plain"], default: "table", description: "As what" },
    shadow: { type: "boolean", description: "Print patterns that tell MCP in network traffic, and check nothing" },
    "shadow-format": {
      type: "enum",
      options: ["grep", "nginx", "haproxy", "yaml"],
      default: "grep",
      description: "What the patterns are for",
    },
    json: { type: "boolean", description: "The same as --format json" },
  },
  run: async (input) => (await import("./run/doctor.ts")).run(input),
} satisfies Command;
