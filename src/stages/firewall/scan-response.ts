/** Takes credentials out of results and finds instructions in them. Loaded with the first result there is. */
import { Answer } from "../../core/answer.ts";
import { UpstreamRpcError } from "../../core/errors.ts";
import { holdsTagText, injectionRules } from "../../lib/injection-patterns.ts";
import { isJson, type Json, type JsonObject, mapStrings } from "../../lib/json.ts";
import { readablePart } from "../../lib/phrase-patterns.ts";
import { plainly } from "../plainly.ts";
import type { Finding, FindingKind } from "./finding.ts";
import { redactCredentials } from "./redact-credentials.ts";

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
  const plain = plainly(answer);
  const redacted = looksFor("credentials") ? redactAnswer(answer, plain) : { answer, rules: [] };
  const findings: Finding[] = redacted.rules.map((rule) => found("credentials", rule, "high"));
  if (looksFor("prompt_injection") || looksFor("hidden_text"))
    findings.push(...findInjection(plain.text).filter(({ kind }) => looksFor(kind)));
  return { answer: redacted.answer, findings, isRedacted: redacted.rules.length > 0 };
}

/** @param plain the same answer without odd escapes; the very same where it has none */
function redactAnswer(answer: Answer, plain: Answer): { answer: Answer; rules: readonly string[] } {
  if (answer === plain) {
    const { text: clean, rules } = redactCredentials(answer.text, answer.survey);
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
  const text = readablePart(whole);
  const findings: Finding[] = [];
  if (holdsTagText(text)) findings.push(found("hidden_text", "tag-characters", "medium"));
  for (const rule of injectionRules(text)) findings.push(found("prompt_injection", rule, "medium"));
  return findings;
}

function found(kind: FindingKind, rule: string, severity: Finding["severity"]): Finding {
  return { kind, rule, severity, where: "result" };
}

const metaKey = "mcp-gateway/firewall";

/** The answer with the findings in its `_meta`; every other byte of it stays. */
export function withFindings(answer: Answer, findings: readonly Finding[]): Answer {
  const verdict: Json = { findings: findings.map(({ kind, rule, severity }) => ({ kind, rule, severity })) };
  return answer.withMeta({ [metaKey]: verdict }, findings);
}
