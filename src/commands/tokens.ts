import type { Command } from "./command.ts";

export const tokens = {
  meta: {
    name: "tokens",
    description: "Count what the tools of all backends cost a model, with and without the gateway; asks the backends",
  },
  args: { json: { type: "boolean", description: "As JSON" } },
  run: async (input) => (await import("./run/tokens.ts")).run(input),
} satisfies Command;
