/** Configuration files in folders that go away with their test. */
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { type LoadedConfig, type LoadRequest, loadConfig } from "../../src/config/load.ts";

export function temporaryFolder(t: TestContext): string {
  const path = realpathSync(mkdtempSync(join(tmpdir(), "gateway-config-")));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

export interface LoadInput extends Partial<LoadRequest> {
  readonly folder?: string;
}

/** Loads the text as `gateway.yaml` of a folder of its own; HOME is that folder too. */
export function loadText(t: TestContext, text: string, input: LoadInput = {}): Promise<LoadedConfig> {
  const { folder = temporaryFolder(t), env, ...request } = input;
  writeFileSync(join(folder, "gateway.yaml"), text);
  return loadConfig({ cwd: folder, ...request, env: { HOME: folder, ...env } });
}

/** The lines of the error, or of the warnings where there is none. */
export async function findings(t: TestContext, text: string, input?: LoadInput): Promise<readonly string[]> {
  return loadText(t, text, input).then(
    ({ warnings }) => warnings,
    (error: Error) => error.message.split("\n"),
  );
}
