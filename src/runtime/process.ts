/** The running program as plain functions: arguments, environment, streams, signals, exit. */
import { builtin } from "./builtin.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

export function programArguments(): string[] {
  return process.argv.slice(2);
}

/** A copy: later changes of the process environment do not reach it. */
export function environment(): Environment {
  return { ...process.env };
}

/** One variable, without copying the rest. */
export function environmentVariable(name: string): string | undefined {
  return process.env[name];
}

export function workingDirectory(): string {
  return process.cwd();
}

/** Ends the program now. Prefer {@link setExitCode}, which lets pending output drain. */
export function exit(code: number): never {
  process.exit(code);
}

export function setExitCode(code: number): void {
  process.exitCode = code;
}

const descriptors = { stdin: 0, stdout: 1, stderr: 2 } as const;

/** Asked of the descriptor: making the stream object takes three times as long as an empty program. */
export function isTerminal(stream: keyof typeof descriptors): boolean {
  try {
    return builtin("node:fs").fstatSync(descriptors[stream]).isCharacterDevice();
  } catch {
    return false;
  }
}

/** Resolves when the text was handed to the system; also when the reader is gone, because then nobody is left to tell. */
export function writeStdout(text: string): Promise<void> {
  return write(process.stdout, text);
}

export function writeStderr(text: string): Promise<void> {
  return write(process.stderr, text);
}

/** Writes one line to standard error before it returns, without making the stream object; see {@link isTerminal}. */
export function printError(line: string): void {
  console.error(line);
}

/** Runs the handler at each of these signals until the returned function is called. A signal the system does not know is skipped. */
export function onSignal(signals: readonly NodeJS.Signals[], handler: (signal: NodeJS.Signals) => void): () => void {
  const removers = signals.map((signal) => {
    const listener = () => handler(signal);
    try {
      process.on(signal, listener);
    } catch {
      return () => {};
    }
    return () => process.off(signal, listener);
  });
  return () => {
    for (const remove of removers) remove();
  };
}

const guarded = new WeakSet<NodeJS.WriteStream>();

function write(stream: NodeJS.WriteStream, text: string): Promise<void> {
  if (!guarded.has(stream)) {
    // A closed pipe (`| head -1`) raises "error" on the stream; without a listener that would end the program.
    stream.on("error", () => {});
    guarded.add(stream);
  }
  return new Promise((resolve) => {
    stream.write(text, () => resolve());
  });
}

/** `linux`, `darwin`, `win32` … */
export function operatingSystem(): string {
  return process.platform;
}
