/** The last that was logged about each backend, its stderr included, for the operator who asks why it does not work. */
import type { LogFields, Logger, LogLevel } from "../core/log.ts";

export interface ServerLogLine {
  /** Calendar milliseconds. */
  readonly at: number;
  readonly level: LogLevel;
  /** May hold secrets, as may the fields: take them out before anybody sees it. */
  readonly message: string;
  readonly fields: LogFields | undefined;
}

const keptLines = 100;
/** Cut to {@link keptLines} when there are so many, not at every line. */
const mostLines = 150;

export class ServerLog {
  readonly #lines = new Map<string, ServerLogLine[]>();

  linesOf(server: string): readonly ServerLogLine[] {
    return this.#lines.get(server)?.slice(-keptLines) ?? [];
  }

  forget(server: string): void {
    this.#lines.delete(server);
  }

  /** A logger that also keeps here what is bound to a `server`, whatever the level of the log is. */
  keeping(log: Logger, server?: string): Logger {
    const keep = (level: "debug" | "info" | "warn" | "error") => (message: string, fields?: LogFields) => {
      log[level](message, fields);
      if (server !== undefined) this.#keep(server, { at: Date.now(), level, message, fields });
    };
    return {
      debug: keep("debug"),
      info: keep("info"),
      warn: keep("warn"),
      error: keep("error"),
      with: (fields) =>
        this.keeping(log.with(fields), fields["server"] === undefined ? server : String(fields["server"])),
    };
  }

  #keep(server: string, line: ServerLogLine): void {
    const lines = this.#lines.get(server);
    if (lines === undefined) this.#lines.set(server, [line]);
    else if (lines.push(line) > mostLines) lines.splice(0, lines.length - keptLines);
  }
}
