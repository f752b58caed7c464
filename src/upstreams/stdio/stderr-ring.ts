/** The last of what a server wrote to stderr: usually the only explanation of why it ended. Whole lines go to the log as they come. */

const keptCharacters = 4_096;
const longestLogLine = 2_048;

export interface StderrRing {
  push(chunk: Uint8Array): void;
  /** At most 2 kB, from the start of a line. */
  readonly tail: string;
}

export function createStderrRing(onLine: (line: string) => void): StderrRing {
  const decoder = new TextDecoder();
  let kept = "";
  let line = "";
  return {
    push(chunk) {
      const text = decoder.decode(chunk, { stream: true });
      kept = (kept + text).slice(-keptCharacters);
      const lines = text.split("\n");
      for (const [index, part] of lines.entries()) {
        // A line that never ends must not grow.
        if (line.length < longestLogLine) line += part.slice(0, longestLogLine - line.length);
        if (index === lines.length - 1) break;
        if (line.trim() !== "") onLine(line.trimEnd());
        line = "";
      }
    },
    get tail() {
      const text = kept.trim();
      if (text.length <= 2_048) return text;
      const end = text.slice(-2_048);
      const start = end.indexOf("\n") + 1;
      return start > 0 && start < 1_024 ? end.slice(start) : end;
    },
  };
}
