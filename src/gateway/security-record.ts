/** What the security policies report, written by code that is loaded with the first report. */
import type { Catalog } from "../catalog/catalog.ts";
import type { Config } from "../config/schema.ts";
import type { Logger } from "../core/log.ts";
import type { Clock } from "../lib/clock.ts";
import type { ClaimRecord } from "../observe/claims/claim-record.ts";
import type { LineFile } from "../runtime/line-file.ts";
import type { FirewallSink } from "../stages/firewall/finding.ts";
import type { CallSink } from "../stages/record/record-stage.ts";
import type { CallRecorder } from "./call-record.ts";
import type { FirewallLog } from "./firewall-log.ts";

export interface SecurityRecord {
  readonly onFindings: FirewallSink;
  /** For the record of calls, and that of claims, where the configuration wants them. */
  readonly onCall: CallSink;
  /** Whether that record cannot be written now. */
  isFailing(): boolean;
  flush(): Promise<void>;
}

export interface SecurityRecordOptions {
  readonly catalog: Catalog;
  readonly config: () => Config;
  readonly log: Logger;
  readonly clock: Clock;
  /** Told when writing begins to fail, and with `undefined` when it works again. */
  noteProblem(what: string, consequence: string): (error: unknown) => void;
  redact(text: string): string;
}

export function createSecurityRecord(options: SecurityRecordOptions): SecurityRecord {
  const { config, log, clock, catalog, noteProblem } = options;
  let callRecord: Promise<CallRecorder> | undefined;
  let recorder: CallRecorder | undefined;
  let firewallLog: Promise<FirewallLog> | undefined;
  let claimRecord: Promise<ClaimRecord> | undefined;

  function logDefect(error: unknown): void {
    log.error("A report of the security policies was lost by a defect", { reason: String(error) });
  }

  async function loadFirewallLog(): Promise<FirewallLog> {
    const { createFirewallLog } = await import("./firewall-log.ts");
    const { createLineFile } = await import("../runtime/line-file.ts");
    const files = new Map<string, LineFile>();
    const onProblem = noteProblem("Findings of the firewall", "the audit log has a gap as long as that lasts");
    const fileAt = (path: string): LineFile => {
      const file = files.get(path) ?? createLineFile({ path, clock, sync: false, onProblem });
      files.set(path, file);
      return file;
    };
    const auditFile = () => {
      const path = config().security.firewall.audit_log;
      return path === undefined ? undefined : fileAt(path);
    };
    return createFirewallLog({ log, auditFile, now: () => new Date() });
  }

  async function loadCallRecord(): Promise<CallRecorder> {
    const { createCallRecorder } = await import("./call-record.ts");
    const onProblem = noteProblem("The record of calls", "calls go on, and their entries are written later");
    recorder = createCallRecorder({
      settings: () => config().security.transparency_log,
      log,
      clock,
      catalog,
      onProblem,
    });
    return recorder;
  }

  async function loadClaimRecord(): Promise<ClaimRecord> {
    const { createClaimRecord } = await import("../observe/claims/claim-record.ts");
    const onProblem = noteProblem("Claims of models", "the newest wait, and are lost with this process");
    return createClaimRecord({
      path: () => config().security.claim_capture.path,
      clock,
      redact: options.redact,
      onProblem,
    });
  }

  return {
    onCall(record, call, answer) {
      if (call.claim !== undefined && config().security.claim_capture.enabled) {
        const at = new Date();
        claimRecord ??= loadClaimRecord();
        claimRecord.then((ready) => ready.note(record, call, at)).catch(logDefect);
      }
      if (!config().security.transparency_log.enabled) return;
      if (recorder !== undefined) return recorder.note(record, call, answer);
      callRecord ??= loadCallRecord();
      callRecord.then((ready) => ready.note(record, call, answer)).catch(logDefect);
    },
    isFailing: () => recorder?.isFailing === true,
    onFindings(report) {
      firewallLog ??= loadFirewallLog();
      firewallLog.then((ready) => ready.note(report)).catch(logDefect);
    },
    async flush() {
      await (await firewallLog)?.flush();
      await (await callRecord)?.flush();
      await (await claimRecord)?.flush();
    },
  };
}
