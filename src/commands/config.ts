import type { Command } from "./command.ts";

const schema = {
  meta: { name: "schema", description: "Print the JSON Schema of the configuration file, for editors" },
  run: async () => (await import("./run/config-schema.ts")).run(),
} satisfies Command;

export const config = {
  meta: { name: "config", description: "About the configuration file" },
  subCommands: { schema },
} satisfies Command;
