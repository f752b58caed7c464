import type { Command, OptionDef } from "./command.ts";

const capabilities: OptionDef = {
  type: "string",
  alias: "C",
  valueHint: "path",
  description: "Folder of capability files, ./capabilities by default (MCP_GATEWAY_CAPABILITIES)",
};
const format = (fallback: string): OptionDef => ({
  type: "enum",
  alias: "f",
  options: ["table", "json", "plain"],
  default: fallback,
  description: "Output",
});
const name: OptionDef = { type: "positional", description: "Name of a capability" };

const invoke = {
  meta: { name: "invoke", description: "Call a capability without a server: invoke NAME KEY=VALUE …" },
  args: {
    name,
    args: { type: "string", alias: "a", valueHint: "json", description: "Arguments as a JSON object" },
    capabilities,
    format: format("json"),
  },
  manyWords: true,
  run: async (input) => (await import("./run/tool-invoke.ts")).run(input),
} satisfies Command;

const list = {
  meta: { name: "list", description: "List the capabilities, built-in ones too" },
  args: { capabilities, format: format("table") },
  run: async (input) => (await import("./run/tool-list.ts")).runList(input),
} satisfies Command;

const inspect = {
  meta: { name: "inspect", description: "Show the arguments of a capability" },
  args: { name, capabilities, format: format("table") },
  run: async (input) => (await import("./run/tool-list.ts")).runInspect(input),
} satisfies Command;

export const tool = {
  meta: { name: "tool", description: "Call and look at capabilities without a server" },
  subCommands: { invoke, list, inspect },
} satisfies Command;
