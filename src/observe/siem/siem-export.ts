/**
 * Brings security events to the file a SIEM's forwarder reads, a batch at a time. What cannot be written waits, within
 * limits for each source, so that a flood of one costs no events of another; calls never wait for it.
 */
import type { Logger } from "../../core/log.ts";
import { type EventSource, type SecurityEvent, securityActions } from "../../core/security-event.ts";
import type { Clock } from "../../lib/clock.ts";
import { createLineFile, type LineFile } from "../../runtime/line-file.ts";
import { ecsLine } from "./ecs-line.ts";
import type { SiemExportSettings } from "./schema.ts";

/** Of one source. */
export interface ExportLag {
  /** Events that are not in the file yet. */
  readonly lag: number;
  readonly written: number;
  /** Lost, because too many waited. */
  readonly dropped: number;
}

export type ExportStatus = Readonly<Record<EventSource, ExportLag>>;

export interface SiemExport {
  /** @param at calendar milliseconds */
  note(event: SecurityEvent, at: number): void;
  status(): ExportStatus;
  readonly isFailing: boolean;
  /** Resolves when every event is in the file, or could not be written now. */
  flush(): Promise<void>;
}

export interface SiemExportOptions {
  /** As they are now: a reload may name another file. */
  readonly settings: () => SiemExportSettings;
  readonly log: Logger;
  readonly clock: Pick<Clock, "after">;
  redact(text: string): string;
  /** Told when writing begins to fail, and with `undefined` when it works again. */
  onProblem(error: unknown): void;
}

const maxWaiting = 2_000;
/** So long a source may complain of its losses once. */
const complainEveryMs = 60_000;

interface Waiting {
  readonly source: EventSource;
  readonly line: string;
}

export function createSiemExport({ settings, log, clock, redact, onProblem }: SiemExportOptions): SiemExport {
  const counts = new Map<EventSource, { lag: number; written: number; dropped: number }>(
    Object.values(securityActions).map((source) => [source, { lag: 0, written: 0, dropped: 0 }]),
  );
  const countOf = (source: EventSource) => counts.get(source) as { lag: number; written: number; dropped: number };
  const complained = new Set<EventSource>();
  let waiting: Waiting[] = [];
  /** Handed to the file, which tries again by itself. */
  let handed: Waiting[] = [];
  let sink: { readonly key: string; readonly file: LineFile } | undefined;
  let cancelTimer: (() => void) | undefined;
  let writing: Promise<void> | undefined;

  function fileNow(): LineFile {
    const { sink_path: path, max_file_size: maxBytes } = settings();
    const key = JSON.stringify([path, maxBytes]);
    if (sink?.key === key) return sink.file;
    // What the file before did not take goes into this one.
    sink?.file.giveUp();
    waiting = [...handed, ...waiting];
    handed = [];
    const file = createLineFile({ path, maxBytes, clock, sync: false, onProblem });
    sink = { key, file };
    return file;
  }

  /** Batch after batch, until the file cannot be written. */
  async function writeAll(): Promise<void> {
    for (;;) {
      const file = fileNow();
      if (handed.length === 0) {
        handed = waiting.splice(0, Math.min(settings().max_batch, maxWaiting));
        for (const { line } of handed) file.append(line);
      }
      if (handed.length === 0) return;
      await file.flush();
      if (file.isFailing) return;
      for (const { source } of handed) {
        countOf(source).lag--;
        countOf(source).written++;
      }
      handed = [];
    }
  }

  function write(): Promise<void> {
    writing ??= writeAll().finally(() => {
      writing = undefined;
      if (waiting.length + handed.length > 0) writeLater();
    });
    return writing;
  }

  function writeLater(): void {
    cancelTimer ??= clock.after(settings().poll_interval_secs * 1_000, () => {
      cancelTimer = undefined;
      void write();
    });
  }

  function stopTimer(): void {
    cancelTimer?.();
    cancelTimer = undefined;
  }

  function drop(source: EventSource): void {
    countOf(source).dropped++;
    if (complained.has(source)) return;
    complained.add(source);
    clock.after(complainEveryMs, () => complained.delete(source));
    log.error("Events for the SIEM are dropped: too many wait for the disk", { source });
  }

  return {
    note(event, at) {
      const source = securityActions[event.action];
      const count = countOf(source);
      if (count.lag >= maxWaiting) return drop(source);
      count.lag++;
      waiting.push({ source, line: ecsLine(event, at, redact) });
      writeLater();
    },
    status: () => Object.fromEntries(counts) as unknown as ExportStatus,
    get isFailing() {
      return sink?.file.isFailing === true;
    },
    async flush() {
      stopTimer();
      await writing;
      await write();
      // Nobody is left to write what the disk does not take.
      stopTimer();
    },
  };
}
