/**
 * Where log lines leave the process without ever holding it up. A host that gave us a pipe as standard error and does
 * not empty it would otherwise stop every call as soon as the pipe is full, which takes 64 kB (F21).
 */
import { builtin } from "./builtin.ts";

export interface LogOutput {
  /** Takes a line without its line feed. Lines beyond 1 MB that nobody takes are dropped, and counted in the log. */
  write(line: string): void;
  /** Resolves when everything was written or given up, at the latest after `limitMs`. */
  flushed(limitMs: number): Promise<void>;
}

const standardError = 2;
const encoder = new TextEncoder();
const maxWaitingCharacters = 1_048_576;
/** The other end may have made the pipe non-blocking for itself, and for us with it. */
const retryMs = 20;

export function createLogOutput(descriptor: number = standardError): LogOutput {
  let waiting: string[] = [];
  let waitingCharacters = 0;
  let dropped = 0;
  let writing = false;
  let onFlushed: (() => void)[] = [];

  const writeNext = () => {
    if (waiting.length === 0) {
      writing = false;
      for (const resolve of onFlushed) resolve();
      onFlushed = [];
      return;
    }
    writing = true;
    if (dropped > 0) waiting.push(`${dropped} log lines were dropped because nobody read them`);
    const text = `${waiting.join("\n")}\n`;
    waiting = [];
    waitingCharacters = 0;
    dropped = 0;
    writeAll(encoder.encode(text));
  };

  /** On a thread of the pool, so that only that one waits. What fails for good is lost: there is no other place for it. */
  const writeAll = (bytes: Uint8Array) => {
    builtin("node:fs").write(descriptor, bytes, (error, written) => {
      if (error?.code === "EAGAIN") setTimeout(writeAll, retryMs, bytes);
      else if (error === null && written < bytes.length) writeAll(bytes.subarray(written));
      else writeNext();
    });
  };

  return {
    write(line) {
      if (waitingCharacters + line.length > maxWaitingCharacters) {
        dropped++;
        return;
      }
      waiting.push(line);
      waitingCharacters += line.length + 1;
      if (!writing) writeNext();
    },
    flushed(limitMs) {
      if (!writing) return Promise.resolve();
      return new Promise((resolve) => {
        const timer = setTimeout(resolve, limitMs);
        onFlushed.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    },
  };
}
