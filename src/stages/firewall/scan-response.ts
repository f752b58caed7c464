/** Takes credentials out of results and finds instructions in them. Loaded with the first result there is. */
import { Answer } from "../../core/answer.ts";
import { UpstreamRpcError } from "../../core/errors.ts";
import { anyOf } from "../../lib/any-of.ts";
import { holdsTagText, injectionRules, injectionWords, tagMarks } from "../../lib/injection-patterns.ts";
import { isJson, type Json, type JsonObject, mapStrings } from "../../lib/json.ts";
import { withoutBase64 } from "../../lib/without-base64.ts";
import { credentialPatterns } from "./credential-patterns.ts";
import type { Finding, FindingKind } from "./finding.ts";
import { redactCredentials } from "./redact-credentials.ts";

/** Instructions are looked for at both ends of a long result: what lies between no model reads as a whole. */
const headChars = 65_536;
const tailChars = 32_768;

/** JSON may write any letter as an escape; these are letters, digits and marks that no writer escapes without reason. */
const oddEscape = /\\u00(?:2[b-f]|[3-7][0-9a-f])(?<!\\u003[ce])/i;

/**
 * What nothing is found without, in lower case: a short result, which most are, is looked at once for all of it. In long
 * ones, looking for each by itself is quicker.
 */
const anySign = anyOf(
  [...credentialPatterns.flatMap(({ needs }) => needs), ...injectionWords, ...tagMarks, "\\u00"].map((word) =>
    word.toLowerCase(),
  ),
);
const shortChars = 4_096;

export interface ScannedResponse {
  /** The very same answer where nothing was taken out. */
  readonly answer: Answer;
  readonly findings: readonly Finding[];
  readonly isRedacted: boolean;
}

export interface ResponseScan {
  looksFor(kind: FindingKind): boolean;
}

export function scanResponse(answer: Answer, { looksFor }: ResponseScan): ScannedResponse {
  const { text } = answer;
  if (text.length <= shortChars && !anySign.test(text.toLowerCase()))
    return { answer, findings: [], isRedacted: false };
  const redacted = looksFor("credentials") ? redactAnswer(answer) : { answer, rules: [] };
  const findings: Finding[] = redacted.rules.map((rule) => found("credentials", rule, "high"));
  if (looksFor("prompt_injection") || looksFor("hidden_text"))
    findings.push(...findInjection(redacted.answer.text).filter(({ kind }) => looksFor(kind)));
  return { answer: redacted.answer, findings, isRedacted: redacted.rules.length > 0 };
}

function redactAnswer(answer: Answer): { answer: Answer; rules: readonly string[] } {
  const { text, skeleton } = answer;
  if (!oddEscape.test(skeleton)) {
    const { text: clean, rules } = redactCredentials(text);
    if (rules.length === 0) return { answer, rules };
    // Should a pattern ever have cut an escape in half, the long way below is the right one.
    if (isJson(clean)) return { answer: Answer.ofText(clean), rules };
  }
  const rules = new Set<string>();
  const value = mapStrings(answer.exactValue, (inner) => {
    const redaction = redactCredentials(inner);
    for (const rule of redaction.rules) rules.add(rule);
    return redaction.text;
  });
  return { answer: rules.size === 0 ? answer : Answer.of(value as JsonObject), rules: [...rules] };
}

/** Errors of servers are shown to the model as well. */
export function redactError(error: unknown): readonly string[] {
  if (!(error instanceof UpstreamRpcError)) return [];
  const rules = new Set<string>();
  error.redact((text) => {
    const redaction = redactCredentials(text);
    for (const rule of redaction.rules) rules.add(rule);
    return redaction.text;
  });
  return [...rules];
}

function findInjection(whole: string): Finding[] {
  const isLong = whole.length > headChars + tailChars;
  const text = isLong ? `${whole.slice(0, headChars)}\n${whole.slice(-tailChars)}` : whole;
  const findings: Finding[] = [];
  if (holdsTagText(text)) findings.push(found("hidden_text", "tag-characters", "medium"));
  for (const rule of injectionRules(withoutBase64(text))) findings.push(found("prompt_injection", rule, "medium"));
  return findings;
}

function found(kind: FindingKind, rule: string, severity: Finding["severity"]): Finding {
  return { kind, rule, severity, where: "result" };
}

const metaKey = "mcp-gateway/firewall";

/** The answer with the findings in its `_meta`; every other byte of it stays. */
export function withFindings(answer: Answer, findings: readonly Finding[]): Answer {
  const verdict: Json = { findings: findings.map(({ kind, rule, severity }) => ({ kind, rule, severity })) };
  return answer.withMeta({ [metaKey]: verdict });
}
