import type { Command } from "./command.ts";

export const list = {
  meta: { name: "list", description: "List the backends" },
  args: {
    json: { type: "boolean", description: "As JSON" },
    known: { type: "boolean", description: "List what add knows by name instead" },
  },
  run: async (input) => (await import("./run/list.ts")).run(input),
} satisfies Command;
