/**
 * Instructions to the model in the definition of a tool (T1), in whatever string of it they stand: descriptions, titles,
 * enums, defaults, names of properties. Held to what no honest server writes: of 8,175 public definitions none is flagged.
 */
import { injectionPatterns } from "../../lib/injection-patterns.ts";
import type { Json } from "../../lib/json.ts";
import { PhraseSearch } from "../../lib/phrase-patterns.ts";

export interface DefinitionFinding {
  /** `keep-from-user`, `hidden-characters`, … */
  readonly rule: string;
  /** Where in the definition, e.g. `inputSchema.properties.path.description`. */
  readonly where: string;
}

/** Patterns for results that honest definitions match too: they tell the model when to call what. */
const forResultsOnly = new Set(["call-a-tool", "speaks-to-the-model", "new-role", "new-instructions"]);
const injections = new PhraseSearch(injectionPatterns.filter(({ rule }) => !forResultsOnly.has(rule)));

/** Characters no honest definition has; one zero-width space is a slip of an editor, a run of them is a message. */
const hidden =
  /[\u0001-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u202a-\u202e\u2060-\u2069]|[\u180e\u200b-\u200d\ufeff]{4}|(?<!\u{1f3f4}[\u{e0000}-\u{e007f}]{0,8})[\u{e0000}-\u{e007f}]/u;
const invisible =
  /[\u0001-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\u{e0000}-\u{e007f}]/gu;

const patterns: readonly { readonly rule: string; readonly pattern: RegExp }[] = [
  {
    rule: "reads-secrets",
    pattern:
      /\b(?:read|open|cat|load|include|pass|provide|contents? of|send|attach|access|retrieve|fetch|copy)\b[^.\n]{0,60}(?:~\/\.(?:ssh|aws|cursor|claude|config|kube|gnupg|netrc|npmrc|env)|\.ssh\/|id_rsa|id_ed25519|\/etc\/(?:passwd|shadow)|\.cursor\/mcp\.json|claude_desktop_config|\.aws\/credentials)/,
  },
  {
    rule: "reads-before-use",
    pattern:
      /\bbefore (?:using|calling|invoking|running) (?:this|any|the|other)[^.\n]{0,24}\b(?:tools?|function),? (?:you (?:must|should|need to) |always |please |first ){0,2}(?:read|open|cat|load|send|upload|include)\b/,
  },
  {
    rule: "sends-elsewhere",
    pattern:
      /\b(?:also|always|secretly|silently|quietly|additionally)\b[^.\n]{0,40}\b(?:send|post|upload|forward|copy|bcc|cc|e-?mail|transmit)\b[^.\n]{0,60}\b(?:to|at)\b[^.\n]{0,20}(?:https?:\/\/|[\w.+-]{1,64}@[\w-]{1,64}\.)/,
  },
  {
    rule: "insists",
    pattern:
      /\bvery,? very,? (?:very )?important\b|\bor (?:else )?the (?:tool|application|system|user) (?:will|may) (?:not work|crash|die|be harmed)\b/,
  },
];

/** Where nobody scrolls to. A run is looked at once, from its start and as a whole: a megabyte of blanks would take seconds (T16). */
const farAway = /(?<![ \t\u00a0\u3000])(?=([ \t\u00a0\u3000]{80,}))\1\s{0,1024}\S|(?<!\n)(?=(\n{24,}))\2\s{0,1024}\S/;
const steers = /\b(?:must|always|never|instead|whenever|before|don't|do not|only after|redirect)\b/;

/** Names of tools of other servers, where a text may not give orders about them (T3). */
export type OtherTools = ReadonlySet<string>;

const maxFindings = 16;

export function scanDefinition(definition: Json, otherTools: OtherTools): DefinitionFinding[] {
  const findings: DefinitionFinding[] = [];

  function add(rule: string, where: string): void {
    if (findings.length < maxFindings && !findings.some((known) => known.rule === rule && known.where === where))
      findings.push({ rule, where });
  }

  function look(value: Json | undefined, where: string): void {
    if (typeof value === "string") for (const rule of rulesBroken(value, otherTools)) add(rule, where);
    else if (Array.isArray(value)) for (const [at, item] of value.entries()) look(item, `${where}[${at}]`);
    else if (typeof value === "object" && value !== null)
      for (const [key, item] of Object.entries(value)) {
        const inner = where === "" ? key : `${where}.${key}`;
        for (const rule of rulesBroken(key, otherTools)) add(rule, `the name of ${inner}`);
        look(item as Json, inner);
      }
  }

  look(definition, "");
  const name =
    typeof definition === "object" && definition !== null && "name" in definition ? definition.name : undefined;
  if (typeof name === "string" && mixesScripts(name)) add("lookalike-name", "name");
  return findings;
}

function* rulesBroken(text: string, otherTools: OtherTools): Generator<string> {
  if (hidden.test(text)) yield "hidden-characters";
  if (text.length < 8) return;
  if (farAway.test(text)) yield "far-away-text";
  // They may stand between the letters of a word.
  const lower = text.toLowerCase().replace(invisible, "");
  yield* injections.rulesIn(lower);
  for (const { rule, pattern } of patterns) if (pattern.test(lower)) yield rule;
  if (ordersAbout(text, otherTools)) yield "other-servers-tool";
}

function ordersAbout(text: string, otherTools: OtherTools): boolean {
  if (otherTools.size === 0) return false;
  for (const sentence of text.split(/[.!?\n]/)) {
    if (!steers.test(sentence.toLowerCase())) continue;
    for (const word of sentence.split(/[^\w-]+/)) if (otherTools.has(word)) return true;
  }
  return false;
}

/** A name with letters nobody sees, or in Latin letters Cyrillic or Greek ones among them, is made to be taken for another. */
function mixesScripts(name: string): boolean {
  if (name.search(invisible) >= 0) return true;
  return /\p{Script=Latin}/u.test(name) && /\p{Script=Cyrillic}|\p{Script=Greek}|[\uff21-\uff5a]/u.test(name);
}
