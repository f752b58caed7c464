import type { Command } from "./command.ts";

export const completions = {
  meta: { name: "completions", description: "Print the completion script of a shell" },
  args: { shell: { type: "positional", description: "bash, zsh or fish" } },
  run: async (input) => (await import("./run/completions.ts")).run(input),
} satisfies Command;
