import type { Command } from "./command.ts";

export const init = {
  meta: { name: "init", description: "Write a configuration file to start from" },
  args: {
    output: { type: "string", alias: "o", valueHint: "path", default: "gateway.yaml", description: "File to write" },
    profile: {
      type: "enum",
      options: ["local", "minimal"],
      default: "local",
      description: "local explains every section, minimal has only what is needed",
    },
    "with-examples": {
      type: "boolean",
      default: true,
      description: "Write example capabilities beside it (profile local)",
      negativeDescription: "Write no examples",
    },
  },
  run: async (input) => (await import("./run/init.ts")).run(input),
} satisfies Command;
