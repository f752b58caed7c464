/** The configuration file that commands read and edit: the one `serve` would use, or `gateway.yaml` here when there is none. */

import { readConfigText, readSettings } from "../../config/load.ts";
import { discoverConfig, namedConfig } from "../../config/locate.ts";
import { isMap, type Settings } from "../../config/path.ts";
import { exists } from "../../runtime/files.ts";
import { displayPath, resolve } from "../../runtime/paths.ts";
import { environment, workingDirectory } from "../../runtime/process.ts";
import type { GlobalOptions } from "../global-options.ts";

export interface ConfigFile {
  readonly path: string;
  /** As the user would type it. */
  readonly label: string;
  /** Empty when the file does not exist. */
  readonly text: string;
}

/** @throws ConfigError when it exists and cannot be read */
export async function openConfigFile(global: GlobalOptions): Promise<ConfigFile> {
  const [env, cwd] = [environment(), workingDirectory()];
  const found = namedConfig(global.config, env, cwd) ?? (await discoverConfig(env, cwd));
  const path = found?.path ?? resolve(cwd, "gateway.yaml");
  const label = displayPath(path, cwd);
  return { path, label, text: (await exists(path)) ? await readConfigText(path, label) : "" };
}

/** The entries of `backends` as they are written. @throws ConfigError when the file does not parse */
export async function backendEntries({ text, label }: ConfigFile): Promise<[string, Settings][]> {
  const { backends } = await readSettings(text, label);
  if (!isMap(backends)) return [];
  return Object.entries(backends).map(([name, entry]) => [name, isMap(entry) ? entry : {}]);
}
