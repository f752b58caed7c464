/** What becomes an event of security: in the journal that operators read, and for the SIEM, if there is one. */
import { shownToolName } from "../core/call-record.ts";
import type { GatewayErrorCode } from "../core/error-codes.ts";
import { actorOf, type SecurityEvent, securityActions } from "../core/security-event.ts";
import type { Journal, JournalEntry } from "../observe/journal/journal.ts";
import type { SiemExportSettings } from "../observe/siem/schema.ts";
import type { ExportStatus, SiemExport } from "../observe/siem/siem-export.ts";
import { describeFindings, type FirewallSink } from "../stages/firewall/finding.ts";
import type { CallSink } from "../stages/record/record-stage.ts";
import { toolName } from "../stages/tool-name.ts";
import type { ControlPlaneOptions } from "./control-plane.ts";

export interface SecurityEvents {
  /** @param at calendar milliseconds, here and below */
  note(event: SecurityEvent, at: number): void;
  noteCall(call: Parameters<CallSink>, at: number): void;
  noteFindings(report: Parameters<FirewallSink>[0], at: number): void;
  journal(): Promise<readonly JournalEntry[]>;
  exported(): Promise<ExportView | undefined>;
  flush(): Promise<void>;
}

export interface ExportView {
  readonly sources: ExportStatus;
  readonly isFailing: boolean;
}

/** A policy or an operator said no; what fails otherwise is told as a call that failed. */
const denials: ReadonlySet<string> = new Set<GatewayErrorCode>([
  "FORBIDDEN",
  "POLICY_DENIED",
  "FIREWALL_BLOCKED",
  "CONTRACT_BROKEN",
  "RESULT_WITHHELD",
  "TOOL_QUARANTINED",
  "SERVER_DISABLED",
  "SESSION_LIMIT",
  "BUDGET_EXCEEDED",
  "AUDIT_UNAVAILABLE",
  "CLIENT_CIRCUIT_OPEN",
]);

export function createSecurityEvents(options: ControlPlaneOptions): SecurityEvents {
  const { config, log, clock, journalPath, redact, noteProblem } = options;
  let journal: Promise<Journal> | undefined;
  let siem: Promise<SiemExport> | undefined;
  /** Those in force last: what waits is written, although the export is switched off now. */
  let settings: SiemExportSettings | undefined;

  function exportSettings(): SiemExportSettings | undefined {
    const now = config().control_plane?.export;
    if (now?.enabled !== true) return undefined;
    settings = now;
    return now;
  }

  async function loadJournal(): Promise<Journal> {
    const { createJournal } = await import("../observe/journal/journal.ts");
    const onProblem = noteProblem("The journal of operators", "its newest entries end with this process");
    return createJournal({ path: journalPath, clock, redact, onProblem });
  }

  async function loadExport(first: SiemExportSettings): Promise<SiemExport> {
    const { createSiemExport } = await import("../observe/siem/siem-export.ts");
    const onProblem = noteProblem(
      "Events for the SIEM",
      "they wait, and the oldest are written first once they can be",
    );
    return createSiemExport({ settings: () => exportSettings() ?? settings ?? first, log, clock, redact, onProblem });
  }

  function logDefect(error: unknown): void {
    log.error("An event of security was lost by a defect", { reason: String(error) });
  }

  function note(event: SecurityEvent, at: number): void {
    if (securityActions[event.action] === "control_plane") {
      journal ??= loadJournal();
      journal.then((open) => open.note(event, at)).catch(logDefect);
    }
    const wanted = exportSettings();
    if (wanted === undefined) return;
    siem ??= loadExport(wanted);
    siem.then((open) => open.note(event, at)).catch(logDefect);
  }

  return {
    note,
    noteCall([{ requestId, upstream, method, tool, outcome, reason }, { caller }], at) {
      const isDenied = denials.has(outcome);
      if (!isDenied && !config().security.transparency_log.enabled) return;
      const event: SecurityEvent = {
        action: isDenied ? "call-denied" : "call",
        failed: outcome !== "OK",
        by: actorOf(caller),
        server: upstream,
        method,
        tool: shownToolName(tool),
        requestId,
        code: outcome === "OK" ? undefined : outcome,
        // What a server says of a failure may quote what it was asked.
        detail: isDenied ? reason : undefined,
      };
      note(event, at);
    },
    noteFindings({ action, direction, call, findings }, at) {
      const event: SecurityEvent = {
        action: "firewall-finding",
        failed: action !== "block",
        by: actorOf(call.caller),
        server: call.upstream,
        method: call.method,
        tool: shownToolName(toolName(call)),
        requestId: call.requestId,
        code: action,
        detail: `${direction}: ${describeFindings(findings)}`,
      };
      note(event, at);
    },
    async journal() {
      journal ??= loadJournal();
      return (await journal).entries();
    },
    async exported() {
      const wanted = exportSettings();
      if (wanted === undefined) return undefined;
      siem ??= loadExport(wanted);
      const open = await siem;
      return { sources: open.status(), isFailing: open.isFailing };
    },
    async flush() {
      await Promise.all([journal?.then((open) => open.flush()), siem?.then((open) => open.flush())]);
    },
  };
}
