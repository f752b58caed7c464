/** Reports calls that hardly any session makes after the one before, and refuses them where the operator wants that. */
import type { Call, Stage } from "../../core/call.ts";
import { DeniedError } from "../../core/errors.ts";
import { toolName } from "../tool-name.ts";
import { describeFindings, type Finding, type FirewallSink } from "./finding.ts";
import { type AppliedRule, ruleFor } from "./rules.ts";
import type { FirewallSettings } from "./schema.ts";

export interface JudgedStep {
  /** How unusual it is, in [0, 1]. */
  readonly score: number;
  /** The call before, as `server:tool`. */
  readonly from: string;
}

/** `undefined` where there was no call before, or nothing is known of what usually follows it. */
export type StepJudge = (call: Call) => JudgedStep | undefined;

export function firewallStepStage(
  settings: FirewallSettings,
  judge: StepJudge | undefined,
  report: FirewallSink | undefined,
): Stage | undefined {
  const {
    enabled,
    anomaly_detection,
    anomaly_threshold,
    anomaly_block_threshold: blockThreshold = 2,
    rules,
  } = settings;
  if (!enabled || !anomaly_detection || judge === undefined) return undefined;
  const reportThreshold = Math.min(anomaly_threshold, blockThreshold);
  return (call, next) => {
    const step = judge(call);
    if (step === undefined || step.score < reportThreshold) return next(call);
    const rule = ruleFor(rules, call.upstream, toolName(call));
    if (rule?.action === "allow" || rule?.looksFor("anomaly") === false) return next(call);
    const isBlocked = rule === undefined ? step.score >= blockThreshold : rule.action === "block";
    const where = `the step from ${step.from}`;
    const findings: Finding[] = [
      { kind: "anomaly", rule: "unusual-step", severity: isBlocked ? "high" : "medium", where },
    ];
    const action = isBlocked ? "block" : "warn";
    report?.({ direction: "request", action, call, findings, anomalyScore: step.score });
    return isBlocked ? Promise.reject(refusal(call, step, findings, rule)) : next(call);
  };
}

function refusal(call: Call, { score }: JudgedStep, findings: readonly Finding[], rule?: AppliedRule) {
  const { upstream: server } = call;
  const tool = toolName(call);
  const why = rule?.reason === undefined ? "" : ` (${rule.reason})`;
  const setting = rule === undefined ? "raise or remove security.firewall.anomaly_block_threshold" : "change its rule";
  return new DeniedError(
    "FIREWALL_BLOCKED",
    `Firewall blocked tool "${tool}" of "${server}"${why}: ${describeFindings(findings)}, score ${score}`,
    {
      hint: `If it is meant that way, an operator can ${setting}, or allow it with security.firewall.rules: [{match: "${server}:${tool}", action: allow}]`,
      data: { server, anomaly_score: score, findings: findings.map((finding) => ({ ...finding })) },
    },
  );
}
