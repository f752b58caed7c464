/** Takes credentials out of text, and tells which kinds there were. */
import { withoutBase64 } from "../../lib/without-base64.ts";
import { credentialGroups, isPlaceholder, keyLine, looksRandom, redactedCredential } from "./credential-patterns.ts";

export interface Redaction {
  readonly text: string;
  /** Names of the patterns that took something out, each once. */
  readonly rules: readonly string[];
}

/** The very same text where nothing had to go. */
export function redactCredentials(text: string): Redaction {
  const readable = withoutBase64(text);
  const marked = credentialGroups.filter(({ mark }) => mark.test(readable));
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
