import type { Command } from "./command.ts";

export const remove = {
  meta: { name: "remove", description: "Remove a backend" },
  args: { name: { type: "positional", description: "Name of the backend" } },
  run: async (input) => (await import("./run/remove.ts")).run(input),
} satisfies Command;
