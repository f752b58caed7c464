import type { Command } from "./command.ts";

const show = {
  meta: { name: "show", description: "Show every setting in force and where it comes from, without secrets" },
  args: {
    path: { type: "positional", required: false, description: "Only what is below it, e.g. server or backends.files" },
    all: { type: "boolean", alias: "a", description: "The defaults of every backend too" },
    changed: { type: "boolean", description: "Only what is not a default" },
    json: { type: "boolean", description: "As JSON" },
  },
  run: async (input) => (await import("./run/config-show.ts")).run(input),
} satisfies Command;

const exportAll = {
  meta: { name: "export", description: "Print the configuration in force as one file" },
  args: {
    format: { type: "enum", alias: "f", options: ["yaml", "json"], default: "yaml", description: "As what" },
    output: {
      type: "string",
      alias: "o",
      valueHint: "path",
      description: "File to write instead; never one that exists",
    },
    defaults: { type: "boolean", description: "With every default" },
    secrets: { type: "boolean", description: "With literal secrets instead of [redacted]" },
  },
  run: async (input) => (await import("./run/config-export.ts")).run(input),
} satisfies Command;

const importForeign = {
  meta: {
    name: "import",
    description: "Convert the configuration of another gateway, and say what became of each setting",
  },
  args: {
    file: { type: "positional", description: "Its file: TOML, or YAML or JSON with groups of upstreams" },
    output: { type: "string", alias: "o", valueHint: "path", default: "gateway.yaml", description: "File to write" },
    "dry-run": { type: "boolean", description: "Write nothing: print it, without literal secrets" },
    force: { type: "boolean", description: "Replace a file that exists" },
  },
  run: async (input) => (await import("./run/config-import.ts")).run(input),
} satisfies Command;

const schema = {
  meta: { name: "schema", description: "Print the JSON Schema of the configuration file, for editors" },
  run: async () => (await import("./run/config-schema.ts")).run(),
} satisfies Command;

export const config = {
  meta: { name: "config", description: "About the configuration file" },
  subCommands: { show, export: exportAll, import: importForeign, schema },
} satisfies Command;
