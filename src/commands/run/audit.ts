/** Bodies of `audit verify|show`. */
import { loadConfig } from "../../config/load.ts";
import { ConfigError } from "../../core/errors.ts";
import { type Entry, readEntry, sessionDigest, verifyChain } from "../../observe/transparency/chain.ts";
import { linesOf } from "../../runtime/file-tail.ts";
import { isMissing } from "../../runtime/files.ts";
import { expandHome, resolve } from "../../runtime/paths.ts";
import { environment, workingDirectory, writeStderr, writeStdout } from "../../runtime/process.ts";
import type { CommandInput } from "../command.ts";

interface Source {
  readonly path: string;
  readonly secret: string;
}

/** The configuration has the key, so one that cannot be read is no reason to verify without. */
async function sourceOf({ global, text }: CommandInput): Promise<Source | undefined> {
  const [env, cwd] = [environment(), workingDirectory()];
  try {
    const { config } = await loadConfig({ path: global.config, env, cwd, overrides: global.overrides });
    const { transparency_log } = config.security;
    const written = text("path") ?? transparency_log.path;
    const secret = transparency_log.enabled
      ? transparency_log.shared_secret
      : await secretOf(transparency_log.shared_secret);
    return { path: resolve(cwd, expandHome(written, env)), secret };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    await writeStderr(`${error.message}\n`);
    return undefined;
  }
}

/** Of a section that is switched off a reference was left as it is written. */
async function secretOf(written: string): Promise<string> {
  const variable = /^env:(.+)$/.exec(written)?.[1];
  return variable === undefined ? written : (environment()[variable] ?? "");
}

export async function verify(input: CommandInput): Promise<number> {
  const source = await sourceOf(input);
  if (source === undefined) return 1;
  return reading(source, async ({ path, secret }) => {
    const verdict = await verifyChain(linesOf(path), secret);
    if (verdict.ok) {
      await writeStdout(`✓ Chain verified (${verdict.mode}) — ${verdict.entries} entries checked in ${path}\n`);
      return 0;
    }
    await writeStderr(`✗ Chain verification FAILED at counter ${verdict.counter}: ${verdict.reason}\n`);
    return 1;
  });
}

export async function show(input: CommandInput): Promise<number> {
  const source = await sourceOf(input);
  if (source === undefined) return 1;
  const session = input.text("session");
  const isWanted = (entry: Entry) =>
    session === undefined || entry.session === session || entry.session === sessionDigest(session);
  return reading(source, async ({ path }) => {
    let shown = 0;
    for await (const line of linesOf(path)) {
      const entry = readEntry(line)?.entry;
      if (entry === undefined || !isWanted(entry)) continue;
      await writeStdout(`${JSON.stringify(entry, null, 2)}\n`);
      shown++;
    }
    if (shown > 0) return 0;
    await writeStderr(
      session === undefined ? "The record is empty\n" : `The record has no entry of session "${session}"\n`,
    );
    return 1;
  });
}

async function reading(source: Source, read: (source: Source) => Promise<number>): Promise<number> {
  try {
    return await read(source);
  } catch (error) {
    if (!isMissing(error)) throw error;
    await writeStderr(
      `There is no record at ${source.path}; security.transparency_log.enabled makes the gateway write one\n`,
    );
    return 1;
  }
}
