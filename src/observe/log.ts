/**
 * Writes log lines as text for people or as JSON for machines. This is the sink, so it is here that secrets are taken
 * out and that nothing in a value can forge a second line or drive a terminal, whoever logged it.
 */
import { type LogFields, type Logger, type LogLevel, logLevels } from "../core/log.ts";
import { escapeHidden } from "../lib/escape-hidden.ts";

export interface LogOptions {
  readonly level: LogLevel;
  readonly format: "text" | "json";
  /** Gets one line, without the line feed. What it throws is ignored: a closed stderr must not fail a call. */
  write(line: string): void;
  /** Takes secrets out of a message or a value. */
  redact(text: string): string;
  /** Whether to colour the level in text lines; asked at the first line. */
  readonly colors?: () => boolean;
  readonly now?: () => Date;
}

export interface LeveledLogger extends Logger {
  readonly level: LogLevel;
  /** Takes effect at once, also for loggers made by `with`. */
  setLevel(level: LogLevel): void;
}

type Values = Record<string, string | number | boolean>;
type Format = (time: string, level: LogLevel, message: string, values: Values) => string;

export function createLogger(options: LogOptions): LeveledLogger {
  const { write, redact, now = () => new Date() } = options;
  const format = options.format === "json" ? jsonLine : textFormat(options.colors ?? (() => false));
  let level = options.level;

  function log(at: LogLevel, message: string, bound: LogFields, more: LogFields | undefined): void {
    if (logLevels.indexOf(at) < logLevels.indexOf(level)) return;
    const values: Values = {};
    for (const [name, value] of Object.entries({ ...bound, ...more }))
      if (value !== undefined) values[name] = typeof value === "string" ? redact(value) : value;
    try {
      write(format(now().toISOString(), at, redact(message), values));
    } catch {
      // There is no other place to report it.
    }
  }

  const bind = (bound: LogFields): Logger => ({
    debug: (message, fields) => log("debug", message, bound, fields),
    info: (message, fields) => log("info", message, bound, fields),
    warn: (message, fields) => log("warn", message, bound, fields),
    error: (message, fields) => log("error", message, bound, fields),
    with: (fields) => bind({ ...bound, ...fields }),
  });

  return {
    ...bind({}),
    get level() {
      return level;
    },
    setLevel(next) {
      level = next;
    },
  };
}

function jsonLine(time: string, level: LogLevel, message: string, values: Values): string {
  const own = { time, level, message };
  // Ours go first to be seen first, and last so that no field can take their place.
  return escapeHidden(JSON.stringify({ ...own, ...values, ...own }));
}

const levelColors: Record<LogLevel, number> = { trace: 90, debug: 90, info: 32, warn: 33, error: 31 };

function textFormat(isColored: () => boolean): Format {
  let colors: boolean | undefined;
  return (time, level, message, values) => {
    colors ??= isColored();
    const label = level.toUpperCase().padEnd(5);
    const shown = colors ? `\x1b[${levelColors[level]}m${label}\x1b[0m` : label;
    let line = `${time} ${shown} ${oneLine(escapeHidden(message))}`;
    for (const [name, value] of Object.entries(values)) line += ` ${name}=${textValue(value)}`;
    return line;
  };
}

function oneLine(text: string): string {
  return text.replaceAll("\n", "\\n").replaceAll("\t", "\\t");
}

/** Bare where it can be told from what follows, quoted as in JSON elsewhere. */
function textValue(value: string | number | boolean): string {
  if (typeof value !== "string") return String(value);
  return escapeHidden(/^[^\s"=\\]+$/.test(value) ? value : JSON.stringify(value));
}
