/** What the firewall finds and what it does about it, as the observers hear of it. */
import type { Call } from "../../core/call.ts";

/** Of arguments, results and sequences of calls; the last five are of results, and what `security.context_integrity` looks for. */
export type FindingKind =
  | "shell"
  | "path"
  | "sql"
  | "memory"
  | "prompt_injection"
  | "credentials"
  | "hidden_text"
  | "anomaly"
  | "personal_data"
  | "financial"
  | "destructive"
  | "escalation"
  | "exfiltration";

export interface Finding {
  readonly kind: FindingKind;
  /** Name of the pattern that matched, e.g. `chained-command`. */
  readonly rule: string;
  /** `high` is blocked in a request, `medium` is reported. */
  readonly severity: "high" | "medium";
  /**
   * Where in the request, e.g. `arguments.path` or `the step from files:read`; `result` in a response. Never the text
   * itself, which may be secret.
   */
  readonly where: string;
}

export interface FirewallReport {
  readonly direction: "request" | "response";
  readonly action: "warn" | "block" | "redact";
  readonly call: Call;
  /** At least one. */
  readonly findings: readonly Finding[];
  /** In [0, 1], where one of them is an `anomaly`. */
  readonly anomalyScore?: number | undefined;
}

/** Must be quick and not throw: it runs on the path of the call. */
export type FirewallSink = (report: FirewallReport) => void;

/** `shell: chained-command in arguments.path` */
export function describeFindings(findings: readonly Finding[]): string {
  return findings.map(({ kind, rule, where }) => `${kind}: ${rule} in ${where}`).join("; ");
}
