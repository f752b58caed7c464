/** The playbooks of the folders, as they are now: read when they are asked for, so that a changed file needs no reload. */
import { ConfigError, DeniedError } from "../../core/errors.ts";
import type { MetaContext } from "../meta-tool.ts";
import { type Playbook, readPlaybook } from "./playbook.ts";

export interface KnownPlaybooks {
  readonly byName: ReadonlyMap<string, Playbook>;
  /** Why files are left out: one line for each problem, with its place. */
  readonly problems: readonly string[];
}

/** @throws DeniedError INVALID_REQUEST while the section is off */
export async function knownPlaybooks({ settings, actions }: MetaContext): Promise<KnownPlaybooks> {
  if (!settings.playbooks.enabled)
    throw new DeniedError("INVALID_REQUEST", "Playbooks are switched off", {
      hint: 'An operator can set "playbooks.enabled" in the configuration',
    });
  const byName = new Map<string, Playbook>();
  const problems: string[] = [];
  for (const [path, source] of await actions.readPlaybooks()) {
    try {
      if (source instanceof ConfigError) throw source;
      const playbook = readPlaybook(source);
      if (byName.has(playbook.name)) problems.push(`${path}  Another file has a playbook named "${playbook.name}" too`);
      else byName.set(playbook.name, playbook);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      problems.push(error.message);
    }
  }
  return { byName, problems };
}
