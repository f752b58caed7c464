import type { Command } from "./command.ts";

const path = {
  type: "string",
  valueHint: "file",
  description: "File of the record; that of the configuration by default",
} as const;

const verify = {
  meta: { name: "verify", description: "Check that no entry of the record of calls was changed, moved or left out" },
  args: { path },
  run: async (input) => (await import("./run/audit.ts")).verify(input),
} satisfies Command;

const show = {
  meta: { name: "show", description: "Print entries of the record of calls, as JSON" },
  args: { path, session: { type: "string", valueHint: "id", description: "Only those of this session" } },
  run: async (input) => (await import("./run/audit.ts")).show(input),
} satisfies Command;

export const audit = {
  meta: { name: "audit", description: "The record of calls" },
  subCommands: { verify, show },
} satisfies Command;
