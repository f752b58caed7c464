/** What is behind the gateway in a few words, so that a model knows when to look there. */
import type { ServerView } from "./meta-tool.ts";

/**
 * Names of the servers that fit, then how many more there are. The budget is in tokens, estimated high: no tokenizer
 * is at hand here, and a name may be made of fragments.
 */
export function domains(servers: readonly ServerView[], maxTokens: number): string {
  const names = servers.filter(({ enabled }) => enabled).map(({ name }) => name);
  if (names.length === 0) return "no server yet";
  const shown: string[] = [];
  let left = maxTokens;
  for (const name of names) {
    const cost = estimateTokens(name) + 1;
    // A long name is passed over, not the short ones after it.
    if (cost > left) continue;
    left -= cost;
    shown.push(name);
  }
  const more = names.length - shown.length;
  if (shown.length === 0) return `${more} servers`;
  return more > 0 ? `${shown.join(", ")} and ${more} more` : shown.join(", ");
}

/** Runs of letters cost a token per four, every change of case or kind begins a new one, other scripts cost more. */
function estimateTokens(name: string): number {
  let tokens = 0;
  for (const [run] of name.matchAll(/[A-Z]?[a-z]+|[A-Z]+|[0-9]+|[\x00-\x7f]|[^\x00-\x7f]+/g))
    tokens += run.charCodeAt(0) < 128 ? Math.ceil(run.length / 4) : run.length * 1.5;
  return tokens;
}
