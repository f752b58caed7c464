import type { Command } from "./command.ts";

const tool = { type: "positional", required: true, description: "The tool, as server:tool" } as const;

const list = {
  meta: { name: "list", description: "Tools that are refused because their definition changed or hides something" },
  args: { json: { type: "boolean", description: "As JSON" } },
  run: async (input) => (await import("./run/quarantine.ts")).list(input),
} satisfies Command;

const show = {
  meta: { name: "show", description: "Why a tool is quarantined, and what changed" },
  args: { tool },
  run: async (input) => (await import("./run/quarantine.ts")).show(input),
} satisfies Command;

const approve = {
  meta: {
    name: "approve",
    description: "Let tools be called again as they are defined now; a running gateway notices",
  },
  args: {
    tool: { ...tool, required: false },
    all: { type: "boolean", description: "Every tool that is quarantined" },
    digest: { type: "string", description: "Only if its definition is still the one that `show` gives this digest" },
  },
  manyWords: true,
  run: async (input) => (await import("./run/quarantine.ts")).approve(input),
} satisfies Command;

export const quarantine = {
  meta: { name: "quarantine", description: "Look at quarantined tools and approve them" },
  subCommands: { list, show, approve },
} satisfies Command;
