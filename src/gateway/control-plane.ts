/** Where all that happens to security comes together; what is done with it is loaded with the first event. */
import type { Config } from "../config/schema.ts";
import type { Logger } from "../core/log.ts";
import type { SecurityEventSink } from "../core/security-event.ts";
import type { Clock } from "../lib/clock.ts";
import type { JournalEntry } from "../observe/journal/journal.ts";
import type { FirewallSink } from "../stages/firewall/finding.ts";
import type { CallSink } from "../stages/record/record-stage.ts";
import type { ExportView, SecurityEvents } from "./security-events.ts";

export interface ControlPlane {
  readonly note: SecurityEventSink;
  readonly onCall: CallSink;
  readonly onFindings: FirewallSink;
  /** The newest entries of this and earlier runs, oldest first. */
  journal(): Promise<readonly JournalEntry[]>;
  /** `undefined` while nothing is exported. */
  exported(): Promise<ExportView | undefined>;
  /** Resolves when all that was told is on the disk, or could not be written. */
  flush(): Promise<void>;
}

export interface ControlPlaneOptions {
  readonly config: () => Config;
  readonly log: Logger;
  readonly clock: Clock;
  /** File of the journal; `undefined` keeps it in memory. */
  readonly journalPath: string | undefined;
  redact(text: string): string;
  noteProblem(what: string, consequence: string): (error: unknown) => void;
}

export function createControlPlane(options: ControlPlaneOptions): ControlPlane {
  let loading: Promise<SecurityEvents> | undefined;

  function events(): Promise<SecurityEvents> {
    loading ??= import("./security-events.ts").then((module) => module.createSecurityEvents(options));
    return loading;
  }

  function tell(work: (events: SecurityEvents, at: number) => void): void {
    const at = Date.now();
    events()
      .then((loaded) => work(loaded, at))
      .catch((error: unknown) => {
        options.log.error("An event of security was lost by a defect", { reason: String(error) });
      });
  }

  const isExporting = () => options.config().control_plane?.export.enabled === true;

  return {
    note: (event) => tell((loaded, at) => loaded.note(event, at)),
    onCall(...call) {
      if (isExporting()) tell((loaded, at) => loaded.noteCall(call, at));
    },
    onFindings(report) {
      if (isExporting()) tell((loaded, at) => loaded.noteFindings(report, at));
    },
    journal: async () => (await events()).journal(),
    exported: async () => (isExporting() ? (await events()).exported() : undefined),
    async flush() {
      await (await loading)?.flush();
    },
  };
}
