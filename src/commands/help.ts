/** The help of one command, as citty writes it. Loaded only when asked for. */
import { renderUsage } from "citty";
import { type OptionDef, type OptionDefs, toCitty } from "./command.ts";
import { globalArgs } from "./global-options.ts";
import type { ParsedLine } from "./parse.ts";

export async function helpText({ command, path }: Pick<ParsedLine, "command" | "path">): Promise<string> {
  const parent = { meta: { name: ["mcp-gateway", ...path.slice(0, -1)].join(" ") } };
  // What only matters while serving is left out of the other helps, though it is accepted everywhere.
  const { config, help } = globalArgs as { config: OptionDef; help: OptionDef };
  const servesHere = path.length === 0 || path[0] === "serve";
  const args: OptionDefs = { ...command.args, ...(servesHere ? globalArgs : { config, help }) };
  const usage = await renderUsage(toCitty(command, args), path.length === 0 ? undefined : parent);
  // Without colours: finding out whether there is a terminal takes longer than everything else here.
  return usage
    .replace(/\u001b\[\d+m/g, "")
    .replace(/ +$/gm, "")
    .trimEnd();
}
