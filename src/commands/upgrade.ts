import type { Command } from "./command.ts";

export const upgrade = {
  meta: { name: "upgrade", description: "Replace this executable by the newest release, or by the one named" },
  args: {
    release: { type: "positional", required: false, description: "Version to change to, e.g. 1.2.3; may be older" },
    check: { type: "boolean", description: "Only say whether there is a newer one" },
    "dry-run": { type: "boolean", description: "The same as --check" },
    quiet: { type: "boolean", alias: "q", description: "Say nothing unless something was done or went wrong" },
  },
  run: async (input) => (await import("./run/upgrade.ts")).run(input),
} satisfies Command;
