import type { Command } from "./command.ts";

export const validate = {
  meta: { name: "validate", description: "Check configuration files; unknown keys are errors" },
  args: { paths: { type: "positional", required: false, description: "Files to check; the one in use by default" } },
  manyWords: true,
  run: async (input) => (await import("./run/validate.ts")).run(input),
} satisfies Command;
