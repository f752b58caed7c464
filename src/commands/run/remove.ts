import { removeBackend } from "../../config/edit.ts";
import { writeAtomic } from "../../runtime/files.ts";
import { writeStdout } from "../../runtime/process.ts";
import type { CommandInput } from "../command.ts";
import { openConfigFile } from "./config-file.ts";

export async function run(input: CommandInput): Promise<number> {
  const name = input.text("name") as string;
  const file = openConfigFile(input.global);
  await writeAtomic(file.path, await removeBackend(file.text, file.label, name));
  await writeStdout(`Removed '${name}'.\n`);
  return 0;
}
