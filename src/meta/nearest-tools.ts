import type { MetaContext, ServerView } from "./meta-tool.ts";
import { visibleTools } from "./visible.ts";

/** Tools of these servers whose names are nearest to the text, as `server:tool`; the first server stands for its namesakes. */
export function nearestTools(
  text: string,
  servers: readonly ServerView[],
  context: MetaContext,
  limit: number,
): string[] {
  const owners = new Map<string, string>();
  for (const { name: server, enabled } of servers) {
    for (const { name } of (enabled && visibleTools(context, server)) || [])
      if (!owners.has(name as string)) owners.set(name as string, server);
  }
  return context.catalog.nearest(text, [...owners.keys()], limit).map((name) => `${owners.get(name)}:${name}`);
}
