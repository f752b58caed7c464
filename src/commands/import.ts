import type { Command, OptionDefs } from "./command.ts";

const read: OptionDefs = {
  file: { type: "positional", description: "OpenAPI document, GraphQL introspection or Postman collection" },
  kind: {
    type: "enum",
    options: ["openapi", "graphql", "postman"],
    description: 'What it is; servers in container images are added with "add NAME -- docker run -i --rm IMAGE"',
  },
  "source-name": { type: "string", valueHint: "name", description: "What the source is called, the file by default" },
  format: { type: "enum", alias: "f", options: ["table", "json"], default: "table", description: "As what" },
};

const preview = {
  meta: { name: "preview", description: "Show what a document would become, and what would be left out" },
  args: read,
  run: async (input) => (await import("./run/import-drafts.ts")).runPreview(input),
} satisfies Command;

const apply = {
  meta: { name: "apply", description: "Write drafts, which no gateway loads, and a manifest of where they came from" },
  args: {
    ...read,
    output: { type: "string", alias: "o", valueHint: "path", default: "capability-drafts", description: "Folder" },
    force: { type: "boolean", description: "Replace files that are there" },
  },
  run: async (input) => (await import("./run/import-drafts.ts")).runApply(input),
} satisfies Command;

export const importDrafts = {
  meta: { name: "import", description: "Look at the description of an API, and make drafts of capabilities of it" },
  subCommands: { preview, apply },
} satisfies Command;
