import type { Command, OptionDef } from "./command.ts";

const registry: OptionDef = {
  type: "string",
  valueHint: "path",
  description: "Registry, skills.json in the state directory by default (MCP_GATEWAY_SKILLS_REGISTRY)",
};
const format = (options: string[]): OptionDef => ({
  type: "enum",
  alias: "f",
  options,
  default: "table",
  description: "Output",
});
const name: OptionDef = { type: "positional", description: "Name of a skill" };

const generate = {
  meta: { name: "generate", description: "Make a skill of each category of capabilities, built-in ones too" },
  args: {
    capabilities: {
      type: "string",
      alias: "C",
      valueHint: "path",
      description: "Folder of capability files, ./capabilities by default (MCP_GATEWAY_CAPABILITIES)",
    },
    server: { type: "string", valueHint: "prefix", description: "Only capabilities whose name begins so" },
    category: { type: "string", valueHint: "name", description: "Only this category" },
    "out-dir": {
      type: "string",
      valueHint: "path",
      default: "skills",
      description: "Folder the skills are written to",
    },
    install: { type: "boolean", description: "Link them into .agents/skills and .claude/skills of this folder" },
    "dry-run": { type: "boolean", description: "Write nothing, list what would be made" },
  },
  run: async (input) => (await import("./run/skills-generate.ts")).run(input),
} satisfies Command;

const importSkill = {
  meta: {
    name: "import",
    description: "Take in a SKILL.md, with its folder or from the web; it is kept and never run",
  },
  args: {
    source: { type: "positional", description: "Folder, file, or http(s) address of a SKILL.md" },
    registry,
    force: { type: "boolean", description: "Also a skill that may hide instructions to the model" },
  },
  run: async (input) => (await import("./run/skills-import.ts")).run(input),
} satisfies Command;

const list = {
  meta: { name: "list", description: "List the imported skills" },
  args: { registry, format: format(["table", "json", "plain"]) },
  run: async (input) => (await import("./run/skills-list.ts")).runList(input),
} satisfies Command;

const search = {
  meta: { name: "search", description: "Find imported skills by words of name, description, keywords and body" },
  args: { query: { type: "positional", description: "Words" }, registry, format: format(["table", "json", "plain"]) },
  manyWords: true,
  run: async (input) => (await import("./run/skills-list.ts")).runSearch(input),
} satisfies Command;

const show = {
  meta: { name: "show", description: "Print an imported skill" },
  args: { name, registry, format: format(["table", "json"]) },
  run: async (input) => (await import("./run/skills-list.ts")).runShow(input),
} satisfies Command;

const remove = {
  meta: { name: "remove", description: "Remove an imported skill" },
  args: { name, registry },
  run: async (input) => (await import("./run/skills-list.ts")).runRemove(input),
} satisfies Command;

export const skills = {
  meta: { name: "skills", description: "Instructions for agents: import, look at, and make them of capabilities" },
  subCommands: { generate, import: importSkill, list, search, show, remove },
} satisfies Command;
