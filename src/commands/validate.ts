import type { Command } from "./command.ts";

export const validate = {
  meta: {
    name: "validate",
    description: "Check configuration files, strictly; capability files and folders as cap lint does",
  },
  args: {
    paths: { type: "positional", required: false, description: "Files to check; the one in use by default" },
    format: {
      type: "enum",
      alias: "f",
      options: ["text", "json", "sarif"],
      default: "text",
      description: "As cap lint",
    },
    severity: {
      type: "enum",
      alias: "s",
      options: ["info", "warn", "fail"],
      default: "info",
      description: "As cap lint",
    },
  },
  manyWords: true,
  run: async (input) => (await import("./run/validate.ts")).run(input),
} satisfies Command;
