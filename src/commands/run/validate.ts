import { type LoadedConfig, loadConfig } from "../../config/load.ts";
import { ConfigError } from "../../core/errors.ts";
import { exists, isFile, readText } from "../../runtime/files.ts";
import { displayPath, resolve } from "../../runtime/paths.ts";
import { environment, workingDirectory, writeStderr, writeStdout } from "../../runtime/process.ts";
import type { CommandInput } from "../command.ts";

/** Problems and warnings go to stderr, the verdict to stdout. */
export async function run(input: CommandInput): Promise<number> {
  const [env, cwd] = [environment(), workingDirectory()];
  if (input.words.length > 0 && (await areCapabilities(input.words, cwd)))
    return (await import("./cap-lint.ts")).run(input);
  const paths = input.words.length === 0 ? [input.global.config] : input.words;
  let failures = 0;
  for (const path of paths) {
    try {
      const loaded = await loadConfig({ path, env, cwd, overrides: input.global.overrides, strict: true });
      for (const warning of loaded.warnings) await writeStderr(`${warning}\n`);
      await writeStdout(`${verdict(loaded, cwd)}\n`);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      failures += 1;
      await writeStderr(`${error.message}\n`);
    }
  }
  return failures === 0 ? 0 : 1;
}

/** Folders, and files that say what they provide, are no configuration. */
async function areCapabilities(words: readonly string[], cwd: string): Promise<boolean> {
  for (const word of words) {
    const path = resolve(cwd, word);
    if (!(await exists(path))) return false;
    if ((await isFile(path)) && !/^(fulcrum|providers)[ \t]*:/m.test(await readText(path).catch(() => "")))
      return false;
  }
  return true;
}

function verdict({ source, config, warnings }: LoadedConfig, cwd: string): string {
  if (source === undefined) return "There is no configuration file: the built-in defaults are used";
  const backends = Object.keys(config.backends).length;
  const doubts = warnings.length === 0 ? "" : `, ${warnings.length} warning(s)`;
  return `${displayPath(source.path, cwd)} is valid: ${backends} backend(s)${doubts}`;
}
