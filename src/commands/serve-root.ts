import type { Command } from "./command.ts";
import { serve } from "./serve.ts";

/** The program as far as `serve` is concerned, which is also what happens without a command. */
export const serveRoot = {
  meta: { name: "mcp-gateway", description: "One gateway between AI clients and all their MCP servers and REST APIs" },
  args: serve.args,
  subCommands: { serve },
  run: (input) => serve.run(input),
} satisfies Command;
