/** The registry that a command works on. */
import { dataDirectory } from "../../runtime/paths.ts";
import { environment, printError, workingDirectory } from "../../runtime/process.ts";
import { type KnownSkill, readRegistry } from "../../skills/registry.ts";
import { registryPath } from "../../skills/registry-path.ts";
import type { CommandInput } from "../command.ts";

export function registryOf(input: CommandInput): string {
  const env = environment();
  return registryPath(input.text("registry"), dataDirectory(input.global.dataDir, env), env, workingDirectory());
}

/** Entries that cannot be used are told on stderr. */
export async function knownSkills(input: CommandInput): Promise<readonly KnownSkill[]> {
  const { skills, problems } = await readRegistry(registryOf(input));
  for (const problem of problems) printError(problem);
  return skills;
}
