/** What the firewall finds and what it does about it, as the observers hear of it. */
import type { Call } from "../../core/call.ts";

/** Those of arguments, those of results, and those of results that `security.context_integrity` alone looks for. */
export type FindingKind =
  | "shell"
  | "path"
  | "sql"
  | "memory"
  | "prompt_injection"
  | "credentials"
  | "hidden_text"
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
  /** Where in the request, e.g. `arguments.path`; `result` in a response. Never the text itself, which may be secret. */
  readonly where: string;
}

export interface FirewallReport {
  readonly direction: "request" | "response";
  readonly action: "warn" | "block" | "redact";
  readonly call: Call;
  /** At least one. */
  readonly findings: readonly Finding[];
}

/** Must be quick and not throw: it runs on the path of the call. */
export type FirewallSink = (report: FirewallReport) => void;

/** `shell: chained-command in arguments.path` */
export function describeFindings(findings: readonly Finding[]): string {
  return findings.map(({ kind, rule, where }) => `${kind}: ${rule} in ${where}`).join("; ");
}
