/** Inspects results before anything keeps them: no cache holds an unredacted answer. */
import type { Answer } from "../../core/answer.ts";
import type { Call, Stage } from "../../core/call.ts";
import { DeniedError } from "../../core/errors.ts";
import { toolName } from "../tool-name.ts";
import { describeFindings, type Finding, type FindingKind, type FirewallSink } from "./finding.ts";
import { type AppliedRule, ruleFor } from "./rules.ts";
import type { FirewallSettings } from "./schema.ts";

type Scanner = typeof import("./scan-response.ts");

export function firewallResponseStage(settings: FirewallSettings, report: FirewallSink | undefined): Stage | undefined {
  const { enabled, scan_responses, prompt_injection_detection, credential_redaction, rules } = settings;
  if (!enabled || !scan_responses || !(prompt_injection_detection || credential_redaction)) return undefined;
  const isOn = (kind: FindingKind) => (kind === "credentials" ? credential_redaction : prompt_injection_detection);
  const everything = { looksFor: isOn };
  let scanner: Scanner | undefined;

  function inspect(call: Call, answer: Answer, { scanResponse, withFindings }: Scanner): Answer {
    const rule = rules.length === 0 ? undefined : ruleFor(rules, call.upstream, toolName(call));
    if (rule?.action === "allow") return answer;
    const looksFor = rule && ((kind: FindingKind) => isOn(kind) && rule.looksFor(kind));
    const scanned = scanResponse(answer, looksFor ? { looksFor } : everything);
    const { findings, isRedacted } = scanned;
    if (findings.length === 0) return answer;
    if (rule?.action === "block") {
      report?.({ direction: "response", action: "block", call, findings });
      throw refusal(call, findings, rule);
    }
    report?.({ direction: "response", action: isRedacted ? "redact" : "warn", call, findings });
    return withFindings(scanned.answer, findings);
  }

  function inspectError(call: Call, error: unknown, { redactError }: Scanner): never {
    const rule = ruleFor(rules, call.upstream, toolName(call));
    const isExempt = rule?.action === "allow" || rule?.looksFor("credentials") === false;
    const taken = credential_redaction && !isExempt ? redactError(error) : [];
    if (taken.length > 0) {
      const findings = taken.map(
        (name): Finding => ({ kind: "credentials", rule: name, severity: "high", where: "error" }),
      );
      report?.({ direction: "response", action: "redact", call, findings });
    }
    throw error;
  }

  async function loaded(): Promise<Scanner> {
    scanner ??= await import("./scan-response.ts");
    return scanner;
  }

  return (call, next) =>
    next(call).then(
      (answer) =>
        scanner === undefined ? loaded().then((ready) => inspect(call, answer, ready)) : inspect(call, answer, scanner),
      (error: unknown) =>
        scanner === undefined
          ? loaded().then((ready) => inspectError(call, error, ready))
          : inspectError(call, error, scanner),
    );
}

function refusal(call: Call, findings: readonly Finding[], { reason }: AppliedRule): DeniedError {
  const tool = toolName(call);
  const what = tool === undefined ? `${call.method} of "${call.upstream}"` : `tool "${tool}" of "${call.upstream}"`;
  const why = reason === undefined ? "" : ` (${reason})`;
  return new DeniedError(
    "FIREWALL_BLOCKED",
    `Firewall blocked the result of ${what}${why}: ${describeFindings(findings)}`,
    {
      hint: "The tool did run; a rule of security.firewall.rules keeps its result back",
      data: { server: call.upstream, findings: findings.map((finding) => ({ ...finding })) },
    },
  );
}
