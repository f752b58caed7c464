/** Takes credentials out of text, and tells which kinds there were. */
import { withoutBase64 } from "../../lib/without-base64.ts";
import {
  type CredentialGroup,
  type CredentialPattern,
  credentialGroups,
  isPlaceholder,
  keyLine,
  looksRandom,
  redactedCredential,
} from "./credential-patterns.ts";

export interface Redaction {
  readonly text: string;
  /** Names of the patterns that took something out, each once. */
  readonly rules: readonly string[];
}

/** The very same text where nothing had to go. */
export function redactCredentials(text: string): Redaction {
  const readable = withoutBase64(text);
  const rules = new Set<string>();
  let clean = text;
  for (const group of credentialGroups) {
    group.mark.lastIndex = 0;
    if (readable === text || group.mark.test(readable)) clean = redactGroup(group, clean, rules);
  }
  return { text: clean, rules: [...rules] };
}

function redactGroup({ mark, patterns }: CredentialGroup, text: string, rules: Set<string>): string {
  /** Where the last match of a pattern ended: nothing is looked at twice. */
  const seenTo = new Map<CredentialPattern, number>();
  let clean = "";
  let kept = 0;
  mark.lastIndex = 0;
  for (let found = mark.exec(text); found !== null; found = mark.exec(text)) {
    const end = mark.lastIndex;
    for (const one of patterns)
      for (const back of one.back ?? [end - found.index]) {
        const from = end - back;
        if (from < kept || from < (seenTo.get(one) ?? 0)) continue;
        one.pattern.lastIndex = from;
        const match = one.pattern.exec(text);
        if (match === null) continue;
        seenTo.set(one, from + match[0].length);
        const secret = secretIn(one, match);
        if (secret === undefined) continue;
        rules.add(one.rule);
        const matchEnd = from + match[0].length;
        clean += `${text.slice(kept, matchEnd - secret.length)}${redactedCredential}`;
        kept = matchEnd;
        mark.lastIndex = Math.max(mark.lastIndex, kept);
      }
  }
  return kept === 0 ? text : clean + text.slice(kept);
}

/** The end of the match that has to go; `undefined` for what is no credential. */
function secretIn({ isKept, isKey, isRandom }: CredentialPattern, match: RegExpExecArray): string | undefined {
  const secret = isKept ? (match[2] as string) : match[0];
  if (secret.startsWith(redactedCredential.slice(0, 9))) return undefined;
  if (isKey && !keyLine.test(secret)) return undefined;
  if (isRandom ? !looksRandom(secret) : isKept && isPlaceholder(secret)) return undefined;
  return secret;
}
