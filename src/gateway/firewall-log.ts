/** What the firewall found: a line of the log, and a line of `security.firewall.audit_log` where one is configured. */
import { shownToolName } from "../core/call-record.ts";
import type { Logger } from "../core/log.ts";
import { stableJson } from "../lib/json.ts";
import { sha256Hex } from "../runtime/digest.ts";
import type { LineFile } from "../runtime/line-file.ts";
import { describeFindings, type FirewallReport } from "../stages/firewall/finding.ts";
import { toolName } from "../stages/tool-name.ts";

export interface FirewallLog {
  note(report: FirewallReport): void;
  flush(): Promise<void>;
}

export interface FirewallLogOptions {
  readonly log: Logger;
  /** The file in force now. */
  readonly auditFile: () => LineFile | undefined;
  /** Calendar time. */
  readonly now: () => Date;
}

const verbs = { warn: "flagged", block: "blocked", redact: "redacted" } as const;

export function createFirewallLog({ log, auditFile, now }: FirewallLogOptions): FirewallLog {
  let last: LineFile | undefined;
  return {
    note(report) {
      const { direction, action, call, findings, anomalyScore } = report;
      log[action === "block" ? "warn" : "info"](`Firewall ${verbs[action]} a ${direction}`, {
        request_id: call.requestId,
        caller: call.caller.name,
        server: call.upstream,
        tool: shownToolName(toolName(call)),
        findings: describeFindings(findings),
        ...(anomalyScore !== undefined && { anomaly_score: anomalyScore }),
      });
      last = auditFile();
      last?.append(auditLine(report, now()));
    },
    async flush() {
      await last?.flush();
    },
  };
}

/** Arguments and session ids are in it as digests: neither can be read or used by who reads the file. */
function auditLine({ direction, action, call, findings, anomalyScore }: FirewallReport, now: Date): string {
  return JSON.stringify({
    timestamp: now.toISOString(),
    event: `firewall_${direction}`,
    request_id: call.requestId,
    session_id: call.sessionId === undefined ? null : sha256Hex(call.sessionId).slice(0, 16),
    server: call.upstream,
    tool: toolName(call) ?? null,
    caller: call.caller.name,
    args_hash: sha256Hex(stableJson(call.params?.["arguments"] ?? null)).slice(0, 16),
    action,
    findings_count: findings.length,
    findings,
    anomaly_score: anomalyScore ?? null,
  });
}
