/** The operator's rules by tool: which one applies, and what it lets the firewall look for. */
import { globMatches } from "../../lib/glob.ts";
import type { FindingKind } from "./finding.ts";
import type { FirewallRule } from "./schema.ts";

/** Words of `scan` that mean a kind, whichever way they are written: `shell_injection`, `SQL`, `credential`. */
const scanWords: readonly (readonly [RegExp, readonly FindingKind[]])[] = [
  [/shell|command/i, ["shell"]],
  [/sql/i, ["sql"]],
  [/path|traversal/i, ["path"]],
  [/memory/i, ["memory"]],
  [/prompt/i, ["prompt_injection", "hidden_text"]],
  [/credential|secret/i, ["credentials"]],
  [/personal|pii/i, ["personal_data"]],
  [/financ/i, ["financial"]],
  [/destruct/i, ["destructive"]],
  [/escalat/i, ["escalation"]],
  [/exfiltrat/i, ["exfiltration"]],
  [/anomal/i, ["anomaly"]],
];

/** The kinds a word of `scan` stands for; none for a word that is not known. */
function kindsOf(word: string): readonly FindingKind[] {
  return scanWords.find(([pattern]) => pattern.test(word))?.[1] ?? [];
}

export interface AppliedRule {
  readonly action: FirewallRule["action"];
  readonly reason: string | undefined;
  looksFor(kind: FindingKind): boolean;
}

/** `undefined` when no rule matches: then what is high is blocked and the rest reported. */
export function ruleFor(
  rules: readonly FirewallRule[],
  server: string,
  tool: string | undefined,
): AppliedRule | undefined {
  if (tool === undefined || rules.length === 0) return undefined;
  const rule = rules.find(({ match }) => globMatches(match, tool) || globMatches(match, `${server}:${tool}`));
  if (rule === undefined) return undefined;
  const kinds = new Set(rule.scan.flatMap(kindsOf));
  const looksFor = (kind: FindingKind) => rule.scan.length === 0 || kinds.has(kind);
  return { action: rule.action, reason: rule.reason, looksFor };
}
