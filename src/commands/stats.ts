import type { Command } from "./command.ts";

export const stats = {
  meta: {
    name: "stats",
    description: "Show what the running gateway has measured: calls, errors, latency, tokens saved",
  },
  args: {
    url: {
      type: "string",
      alias: "u",
      valueHint: "url",
      description: "Address of the gateway; the configured one by default",
    },
    price: {
      type: "string",
      alias: "p",
      valueHint: "dollars",
      default: "15",
      description: "Price of a million tokens",
    },
    token: {
      type: "string",
      valueHint: "token",
      description: "Token with admin rights; the configured one by default (MCP_GATEWAY_TOKEN)",
    },
    json: { type: "boolean", description: "As JSON" },
  },
  run: async (input) => (await import("./run/stats.ts")).run(input),
} satisfies Command;
