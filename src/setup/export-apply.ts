/** Writes what an export planned: a backup first, then the file in one step, then a look at what is there now. */
import { ConfigError } from "../core/errors.ts";
import { exists, readExactText, removeFile, writeAtomic } from "../runtime/files.ts";
import { basename } from "../runtime/paths.ts";
import type { FileChange } from "./export-plan.ts";

const backupMark = ".mcp-gateway.bak.";
const backupName = /^(.+)\.mcp-gateway\.bak\.\d+$/;
/** Settings of clients hold tokens. */
const privateMode = 0o600;

/**
 * Resolves with the path of the backup, or `undefined` where there was nothing to back up. Whatever fails, the file is
 * as it was before.
 * @throws ConfigError when somebody changed the file meanwhile, and the system's error
 */
export async function applyChange({ path, before, after }: FileChange): Promise<string | undefined> {
  const now = (await exists(path)) ? await readExactText(path) : undefined;
  if (now !== before) throw new ConfigError(`"${path}" was changed meanwhile: run the command again`);
  const backup = before === undefined ? undefined : await backUp(path, before);
  try {
    await writeAtomic(path, after, { mode: privateMode });
    if ((await readExactText(path)) !== after) throw new ConfigError(`"${path}" does not hold what was written to it`);
  } catch (error) {
    if (before === undefined) await removeFile(path);
    else if ((await readExactText(path).catch(() => undefined)) !== before) await writeAtomic(path, before);
    if (backup !== undefined) await removeFile(backup);
    throw error;
  }
  return backup;
}

async function backUp(path: string, text: string): Promise<string> {
  // Nanoseconds, as the names have always had; a clock that stands still still gives a new name.
  for (let stamp = BigInt(Date.now()) * 1_000_000n; ; stamp += 1n) {
    const backup = `${path}${backupMark}${stamp}`;
    if (await exists(backup)) continue;
    await writeAtomic(backup, text, { mode: privateMode });
    return backup;
  }
}

/** Puts the backup back where it came from; resolves with that path. @throws ConfigError when it is no backup, and the system's error */
export async function restoreBackup(backup: string): Promise<string> {
  const original = backupName.exec(backup)?.[1];
  if (original === undefined || backupName.exec(basename(backup)) === null)
    throw new ConfigError(`"${backup}" is not a backup of an export`, {
      hint: `Their names end in ${backupMark} and a number`,
    });
  if (!(await exists(backup))) throw new ConfigError(`The backup "${backup}" does not exist`);
  await writeAtomic(original, await readExactText(backup), { mode: privateMode });
  return original;
}
