import type { Command } from "./command.ts";

export const add = {
  meta: { name: "add", description: "Add a backend: a known one by name, NAME URL, or NAME -- COMMAND ARGS" },
  args: {
    name: { type: "positional", description: "Name of the backend; 48 are known by it alone, see list --known" },
    url: { type: "string", valueHint: "url", description: "Address of an HTTP server" },
    "a2a-url": { type: "string", valueHint: "url", description: "Address of an A2A agent" },
    command: { type: "string", valueHint: "line", description: "Command of a stdio server, as one line" },
    description: { type: "string", alias: "d", valueHint: "text", description: "What the backend is for" },
    env: {
      type: "string",
      alias: "e",
      valueHint: "KEY=VALUE",
      repeatable: true,
      description: "Environment variable of the server; may be repeated",
    },
    header: {
      type: "string",
      alias: "H",
      valueHint: "NAME: VALUE",
      repeatable: true,
      description: "Header sent to an HTTP server; may be repeated",
    },
    transport: { type: "enum", alias: "t", options: ["stdio", "http", "sse"], description: "What the backend speaks" },
    scope: { type: "string", alias: "s", valueHint: "scope", description: "Taken for habit's sake; see --config" },
  },
  manyWords: true,
  takesRest: true,
  run: async (input) => (await import("./run/add.ts")).run(input),
} satisfies Command;
