/** The table of meta-tools, in the order clients see them. */
import { invoke } from "./invoke.ts";
import { listServers } from "./list-servers.ts";
import { listTools } from "./list-tools.ts";
import type { MetaTool } from "./meta-tool.ts";
import { searchTools } from "./search-tools.ts";

export const metaTools: ReadonlyMap<string, MetaTool> = new Map(
  [searchTools, invoke, listTools, listServers].map((tool) => [tool.name, tool]),
);
