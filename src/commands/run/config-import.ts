import { withoutLiteralSecrets } from "../../config/effective.ts";
import { readConfigText } from "../../config/load.ts";
import { ConfigError } from "../../core/errors.ts";
import { yamlText } from "../../lib/yaml-document.ts";
import { exists, writeAtomic } from "../../runtime/files.ts";
import { displayPath, expandHome, resolve } from "../../runtime/paths.ts";
import { environment, workingDirectory, writeStderr, writeStdout } from "../../runtime/process.ts";
import { importConfig } from "../../setup/config-import/import-config.ts";
import type { CommandInput } from "../command.ts";
import { sayDone } from "./say-done.ts";

/** What became what goes to stdout, warnings about the result to stderr. */
export async function run(input: CommandInput): Promise<number> {
  const [env, cwd] = [environment(), workingDirectory()];
  const [source, target] = [input.text("file"), input.text("output")].map((path) =>
    resolve(cwd, expandHome(path as string, env)),
  ) as [string, string];
  const [label, targetLabel] = [displayPath(source, cwd), displayPath(target, cwd)];
  const isDryRun = input.flag("dry-run");
  const { settings, comments, report, warnings } = await importConfig(await readConfigText(source, label), label, env);
  if (source === target) throw new ConfigError(`"${label}" is what is converted: choose another --output`);
  if (!isDryRun && !input.flag("force") && (await exists(target)))
    throw new ConfigError(`"${targetLabel}" already exists: use --force to replace it, or another --output`);
  await writeStdout(report.map((line) => `${line}\n`).join(""));
  await writeStderr(warnings.map((line) => `${line}\n`).join(""));
  if (isDryRun) {
    await writeStdout(`\n# ${targetLabel}\n${await yamlText(await withoutLiteralSecrets(settings), comments)}`);
    return 0;
  }
  const head = `# Converted from ${JSON.stringify(label)} by mcp-gateway config import.\n`;
  await writeAtomic(target, head + (await yamlText(settings, comments)), { mode: 0o600 });
  await sayDone(`Created ${targetLabel}: mcp-gateway serve --config ${targetLabel}`);
  return 0;
}
