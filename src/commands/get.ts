import type { Command } from "./command.ts";

export const get = {
  meta: { name: "get", description: "Show one backend" },
  args: { name: { type: "positional", description: "Name of the backend" } },
  run: async (input) => (await import("./run/get.ts")).run(input),
} satisfies Command;
