/** The calling tool of code mode: one tool, a chain of them, or a program that calls them, in one turn. */
import { DeniedError } from "../../core/errors.ts";
import { invalid, readList, readObject, readString } from "../arguments.ts";
import { invoke } from "../invoke.ts";
import type { MetaContext, MetaTool } from "../meta-tool.ts";
import { runChain } from "./chain.ts";

const ways = ["tool", "chain", "script"];

const scriptProperty = {
  type: "string",
  description:
    "Body of an async JavaScript function: const list = await tools.server.tool({…}); return list.length. " +
    "It has tools and plain JavaScript, nothing else; only what it returns comes back",
};

export const codeExecute: MetaTool = {
  name: "gateway_execute",
  carriesResults: true,
  describe: (context) => ({
    name: "gateway_execute",
    description:
      'Run a tool found by gateway_search, named "server:tool", or a chain of tools in one turn. In the arguments of a ' +
      'step, {"$from": "step1.items[0].id"} stands for part of an earlier result ([*]: of every element). "output", of ' +
      `such references, says what to return instead of all results.${mayRunScripts(context) ? ' Or a "script".' : ""}`,
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
        output: { type: "object" },
        ...(mayRunScripts(context) && { script: scriptProperty }),
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
    const given = ways.filter((name) => isGiven(args[name]));
    if (given.length !== 1)
      throw invalid(
        given.length === 0 ? 'Neither "tool" nor "chain" is given' : `"${given.join('" and "')}" exclude each other`,
        'Pass {"tool": "server:tool", "arguments": {…}} or {"chain": [{"tool": "server:tool", "arguments": {…}}, …]}',
      );
    const chain = readList(args, "chain");
    if (chain !== undefined)
      return runChain(chain, isGiven(args["output"]) ? readObject(args, "output") : undefined, context);
    const script = readString(args, "script");
    return script === undefined ? invoke.run(args, context) : runIfAllowed(script, context);
  },
};

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null && value !== "";
}

function mayRunScripts({ settings: { codeMode } }: MetaContext): boolean {
  return codeMode.enabled && codeMode.scripts.enabled;
}

async function runIfAllowed(script: string, context: MetaContext) {
  if (mayRunScripts(context)) return (await import("./run-script.ts")).runScript(script, context);
  throw new DeniedError("FORBIDDEN", "Programs are switched off", {
    hint: 'Use "chain", or let an operator set "code_mode.enabled" and "code_mode.scripts.enabled"',
  });
}
