import { configJsonSchema } from "../../config/generate.ts";
import { writeStdout } from "../../runtime/process.ts";

export async function run(): Promise<number> {
  await writeStdout(`${JSON.stringify(configJsonSchema(), null, 2)}\n`);
  return 0;
}
