/** Inspects results before anything keeps them: no cache holds an unredacted answer. */
import type { Answer } from "../../core/answer.ts";
import type { Call, Stage } from "../../core/call.ts";
import { GatewayError } from "../../core/errors.ts";
import { toolName } from "../tool-name.ts";
import { describeFindings, type Finding, type FirewallSink } from "./finding.ts";
import { type ResponseInspection, resultScopes } from "./result-scope.ts";
import type { AppliedRule } from "./rules.ts";
import type { FirewallSettings } from "./schema.ts";

type Scanner = typeof import("./scan-response.ts");

/** @param inspection `security.response_inspection`; as it is by default, if left out */
export function firewallResponseStage(
  settings: FirewallSettings,
  report: FirewallSink | undefined,
  inspection: ResponseInspection = { enabled: true, action_mode: false },
): Stage | undefined {
  const scopes = resultScopes(settings, inspection);
  if (!scopes.isOn) return undefined;
  let scanner: Scanner | undefined;

  function inspect(call: Call, answer: Answer, { scanResponse, withFindings }: Scanner): Answer {
    const scope = scopes.of(call);
    const { rule } = scope;
    if (rule?.action === "allow") return answer;
    const scanned = scanResponse(answer, scope);
    const { findings, isRedacted } = scanned;
    if (findings.length === 0) return answer;
    const holdsInstructions = findings.some(({ kind }) => kind !== "credentials");
    const isRefused = rule === undefined && inspection.action_mode && holdsInstructions;
    if (rule?.action === "block" || isRefused) {
      report?.({ direction: "response", action: "block", call, findings });
      throw refusal(call, findings, rule);
    }
    report?.({ direction: "response", action: isRedacted ? "redact" : "warn", call, findings });
    return withFindings(scanned.answer, findings);
  }

  function inspectError(call: Call, error: unknown, { redactError }: Scanner): never {
    const taken = scopes.of(call).looksFor("credentials") ? redactError(error) : [];
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

/** Not a {@link DeniedError}: the server was asked, and did what it was asked to. */
function refusal(call: Call, findings: readonly Finding[], rule: AppliedRule | undefined): GatewayError {
  const tool = toolName(call);
  const what = tool === undefined ? `${call.method} of "${call.upstream}"` : `tool "${tool}" of "${call.upstream}"`;
  const why = rule?.reason === undefined ? "" : ` (${rule.reason})`;
  const setting = rule === undefined ? "security.response_inspection" : "a rule of security.firewall.rules";
  return new GatewayError(
    "FIREWALL_BLOCKED",
    `Firewall blocked the result of ${what}${why}: ${describeFindings(findings)}`,
    {
      hint: `The tool did run; ${setting} keeps its result back`,
      data: { server: call.upstream, findings: findings.map((finding) => ({ ...finding })) },
    },
  );
}
