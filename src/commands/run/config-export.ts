import { effectiveConfig, withoutLiteralSecrets } from "../../config/effective.ts";
import { type Settings, withValueAt } from "../../config/path.ts";
import { ConfigError } from "../../core/errors.ts";
import { knownSecrets } from "../../gateway/known-secrets.ts";
import { type Json, mapStrings } from "../../lib/json.ts";
import { Redactor } from "../../lib/redact.ts";
import { yamlText } from "../../lib/yaml-document.ts";
import { exists, writeAtomic } from "../../runtime/files.ts";
import { displayPath, expandHome, resolve } from "../../runtime/paths.ts";
import { environment, workingDirectory, writeStdout } from "../../runtime/process.ts";
import type { CommandInput } from "../command.ts";
import { sayDone } from "./say-done.ts";

export async function run(input: CommandInput): Promise<number> {
  const { config: path, overrides } = input.global;
  const [env, cwd] = [environment(), workingDirectory()];
  const { loaded, settings, written } = await effectiveConfig({ path, overrides, env, cwd });
  let all: Settings = written;
  if (input.flag("defaults"))
    for (const { path: at, value, isDefault } of settings) if (isDefault) all = withValueAt(all, at, value);
  if (!input.flag("secrets")) {
    const { redact } = new Redactor(knownSecrets(loaded.config, loaded.env));
    all = mapStrings((await withoutLiteralSecrets(all)) as Json, redact) as Settings;
  }
  const text = input.text("format") === "json" ? `${JSON.stringify(all, null, 2)}\n` : await yamlText(all);
  const output = input.text("output");
  if (output === undefined) {
    await writeStdout(text);
    return 0;
  }
  const target = resolve(cwd, expandHome(output, env));
  if (await exists(target)) throw new ConfigError(`"${output}" already exists: remove it or choose another --output`);
  await writeAtomic(target, text, { mode: 0o600 });
  await sayDone(`Created ${displayPath(target, cwd)}`);
  return 0;
}
