/** Standard input and output as the stdio door wants them: bytes in, whole lines out, each waiting for the other side. */
import { writeStdout } from "./process.ts";

/** Bytes until the end of the input; the next piece is read when the last one was taken. A broken pipe is an end. */
export async function* standardInput(): AsyncGenerator<Uint8Array, void> {
  try {
    for await (const piece of process.stdin) yield piece as Uint8Array;
  } catch {
    // The parent is gone, which is how many clients say goodbye.
  }
}

/** Where the door writes; resolves when the text has left the process. */
export interface TextOutput {
  write(text: string): Promise<void>;
}

export const standardOutput: TextOutput = { write: writeStdout };
