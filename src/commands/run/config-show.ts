import { type EffectiveSetting, effectiveConfig } from "../../config/effective.ts";
import { pathText } from "../../config/path.ts";
import { ConfigError } from "../../core/errors.ts";
import { knownSecrets } from "../../gateway/known-secrets.ts";
import { suggestion } from "../../lib/did-you-mean.ts";
import { type Json, mapStrings } from "../../lib/json.ts";
import { Redactor } from "../../lib/redact.ts";
import { environment, workingDirectory, writeStdout } from "../../runtime/process.ts";
import type { CommandInput } from "../command.ts";

export async function run(input: CommandInput): Promise<number> {
  const { config: path, overrides } = input.global;
  const { loaded, settings } = await effectiveConfig({ path, overrides, env: environment(), cwd: workingDirectory() });
  const { redact } = new Redactor(knownSecrets(loaded.config, loaded.env));
  const shown = settings
    .filter((setting) => isWanted(setting, input))
    .map((setting) => ({ ...setting, value: mapStrings(setting.value as Json, redact), key: pathText(setting.path) }));
  const below = input.text("path");
  if (shown.length === 0 && below !== undefined) {
    const known = [
      ...new Set(
        settings.flatMap((setting) => setting.path.map((_step, at) => pathText(setting.path.slice(0, at + 1)))),
      ),
    ];
    if (!known.includes(below)) throw new ConfigError(`There is no setting "${below}"${suggestion(below, known)}`);
  }
  if (input.flag("json")) {
    const rows = shown.map(({ key, value, from, isDefault, isPending }) => ({
      key,
      value,
      from,
      default: isDefault,
      active: !isPending,
    }));
    await writeStdout(`${JSON.stringify(rows, null, 2)}\n`);
    return 0;
  }
  const keyWidth = Math.max(0, ...shown.map(({ key }) => key.length));
  const lines = shown.map(({ key, value, from, isPending }) => {
    const text = typeof value === "string" ? value : JSON.stringify(value);
    return `${key.padEnd(keyWidth)}  ${text === "" ? '""' : text}  (${from}${isPending ? ", not active yet" : ""})\n`;
  });
  await writeStdout(lines.join(""));
  return 0;
}

function isWanted({ path, isDefault }: EffectiveSetting, input: CommandInput): boolean {
  const below = input.text("path");
  const key = pathText(path);
  const isBelow = below === undefined || key === below || key.startsWith(`${below}.`) || key.startsWith(`${below}[`);
  if (!isBelow || (isDefault && input.flag("changed"))) return false;
  // Twenty defaults for each backend would hide the rest.
  const isHidden = isDefault && path[0] === "backends" && path.length > 1;
  return !isHidden || input.flag("all") || below?.startsWith("backends.") === true;
}
