/** How a command says that it did something: with a green tick to a person, as the bare sentence to a script. */
import { environmentVariable, isTerminal, writeStdout } from "../../runtime/process.ts";

export async function sayDone(sentence: string): Promise<void> {
  if (!isTerminal("stdout") || environmentVariable("NO_COLOR")) return writeStdout(`${sentence}\n`);
  const { consola } = await import("consola");
  consola.success(sentence);
}
