/** Takes credentials out of text, and tells which kinds there were. */
import {
  credentialGroups,
  isPlaceholder,
  keyLine,
  looksRandom,
  redactedCredential,
  tellingCharacter,
} from "./credential-patterns.ts";

/** A longer text is looked at in parts, so that what is base64 of it is passed over. */
const partChars = 65_536;
/** More than any mark is long. */
const overlapChars = 512;

export interface Redaction {
  readonly text: string;
  /** Names of the patterns that took something out, each once. */
  readonly rules: readonly string[];
}

/** The very same text where nothing had to go. */
export function redactCredentials(text: string): Redaction {
  const marked = markedGroups(text);
  if (marked.length === 0) return { text, rules: [] };
  const rules = new Set<string>();
  let clean = text;
  for (const { rule, pattern, isKept, isRandom, isKey } of marked.flatMap(({ patterns }) => patterns)) {
    clean = clean.replace(pattern, (match: string, before: unknown, value: unknown) => {
      const secret = isKept ? String(value) : match;
      if (secret.startsWith(redactedCredential.slice(0, 9))) return match;
      if (isKey && !keyLine.test(secret)) return match;
      if (isRandom ? !looksRandom(secret) : isKept && isPlaceholder(secret)) return match;
      rules.add(rule);
      return `${isKept ? String(before) : ""}${redactedCredential}`;
    });
  }
  return { text: clean, rules: [...rules] };
}

/** Those whose patterns may match. */
function markedGroups(text: string): typeof credentialGroups {
  if (text.length <= partChars) return credentialGroups.filter(({ mark }) => mark.test(text));
  const marked = new Set<(typeof credentialGroups)[number]>();
  for (let at = 0; at < text.length; at += partChars) {
    const part = text.slice(Math.max(0, at - overlapChars), at + partChars);
    const isTelling = tellingCharacter.test(part);
    for (const group of credentialGroups)
      if ((isTelling || group.isPlain) && !marked.has(group) && group.mark.test(part)) marked.add(group);
  }
  return credentialGroups.filter((group) => marked.has(group));
}
