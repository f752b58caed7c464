/** The table of meta-tools, in the order clients see them, and the way to those that few gateways use. */
import { invoke } from "./invoke.ts";
import { listServers } from "./list-servers.ts";
import { listTools } from "./list-tools.ts";
import type { MetaContext, MetaTool } from "./meta-tool.ts";
import { metaToolNames } from "./meta-tool-names.ts";
import type { MetaMcpSettings } from "./schema.ts";
import { searchTools } from "./search-tools.ts";

export const metaTools: ReadonlyMap<string, MetaTool> = new Map(
  [searchTools, invoke, listTools, listServers].map((tool) => [tool.name, tool]),
);

/** Any of them, listed or not: who knows its name and has the rights for it may call it. */
export async function findMetaTool(name: string): Promise<MetaTool | undefined> {
  if (!metaToolNames.has(name)) return undefined;
  return metaTools.get(name) ?? (await import("./more-tools.ts")).moreTools.get(name);
}

/** What `tools/list` shows. @param isCodeMode whether only search and execution are wanted */
export async function listedMetaTools(
  context: MetaContext,
  operatorTools: MetaMcpSettings["operator_tools"],
  isCodeMode: boolean,
): Promise<readonly MetaTool[]> {
  const four = [...metaTools.values()];
  const { playbooks, maxResultSize } = context.settings;
  const isPlain = operatorTools === "none" && !playbooks.enabled && maxResultSize === undefined;
  if (!isCodeMode && isPlain) return four;
  const { codeModeTools, moreTools, operatorToolsFor } = await import("./more-tools.ts");
  const reader = maxResultSize === undefined ? undefined : moreTools.get("gateway_read_result");
  const tools = isCodeMode ? codeModeTools : [...four, ...operatorToolsFor(context, operatorTools)];
  return reader === undefined ? tools : [...tools, reader];
}
