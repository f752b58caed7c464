import type { Command } from "./command.ts";

export const add = {
  meta: { name: "add", description: "Add a backend: add NAME -- COMMAND ARGS, or add NAME --url URL" },
  args: {
    name: { type: "positional", description: "Name of the backend" },
    url: { type: "string", valueHint: "url", description: "Address of an HTTP server" },
    command: { type: "string", valueHint: "line", description: "Command of a stdio server, as one line" },
    description: { type: "string", alias: "d", valueHint: "text", description: "What the backend is for" },
    env: {
      type: "string",
      alias: "e",
      valueHint: "KEY=VALUE",
      repeatable: true,
      description: "Environment variable of the server; may be repeated",
    },
  },
  takesRest: true,
  run: async (input) => (await import("./run/add.ts")).run(input),
} satisfies Command;
