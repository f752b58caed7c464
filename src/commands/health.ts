import type { Command } from "./command.ts";

export const health = {
  meta: { name: "health", description: "Ask the running gateway for its health; exit code 0 when it is healthy" },
  args: {
    url: {
      type: "string",
      alias: "u",
      valueHint: "url",
      description: "Address of the gateway; the configured one by default",
    },
  },
  run: async (input) => (await import("./run/health.ts")).run(input),
} satisfies Command;
