/** The calling tool of code mode: one tool, or a chain of them in one turn. */
import { invalid, readList } from "../arguments.ts";
import { invoke } from "../invoke.ts";
import type { MetaTool } from "../meta-tool.ts";
import { runChain } from "./chain.ts";

export const codeExecute: MetaTool = {
  name: "gateway_execute",
  describe: () => ({
    name: "gateway_execute",
    description:
      'Run a tool found by gateway_search, named "server:tool", or a chain of tools in one turn. In the arguments of a ' +
      'step, {"$from": "step1.items[0].id"} stands for part of an earlier result ([*]: of every element). "output", of ' +
      "such references, says what to return instead of all results.",
    inputSchema: {
      type: "object",
      properties: {
        tool: { type: "string" },
        arguments: { type: "object" },
        chain: {
          type: "array",
          items: {
            type: "object",
            properties: {
              id: { type: "string", description: "step1, step2 … by default" },
              tool: { type: "string" },
              arguments: { type: "object" },
            },
            required: ["tool"],
          },
        },
        output: {},
      },
    },
    annotations: {
      title: "Run tools",
      readOnlyHint: false,
      destructiveHint: true,
      idempotentHint: false,
      openWorldHint: true,
    },
  }),
  async run(args, context) {
    const { chain: _chain, output, tool, ...rest } = args;
    const chain = readList(args, "chain");
    const given = ["chain", "tool"].filter((name) => args[name] !== undefined);
    if (given.length !== 1)
      throw invalid(
        given.length === 0 ? 'Neither "tool" nor "chain" is given' : `"${given.join('" and "')}" exclude each other`,
        'Pass {"tool": "server:tool", "arguments": {…}} or {"chain": [{"tool": "server:tool", "arguments": {…}}, …]}',
      );
    if (chain === undefined) return invoke.run({ ...rest, tool }, context);
    return runChain(chain, output, context);
  },
};
