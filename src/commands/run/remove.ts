import { removeBackend } from "../../config/edit.ts";
import { writeAtomic } from "../../runtime/files.ts";
import type { CommandInput } from "../command.ts";
import { openConfigFile } from "./config-file.ts";
import { sayDone } from "./say-done.ts";

export async function run(input: CommandInput): Promise<number> {
  const name = input.text("name") as string;
  const file = await openConfigFile(input.global);
  await writeAtomic(file.path, await removeBackend(file.text, file.label, name));
  await sayDone(`Removed '${name}'.`);
  return 0;
}
