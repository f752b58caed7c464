/** The configuration: there, valid, and for its owner's eyes only when there are secrets in it. */
import { looksSecret } from "../../config/backend-secrets.ts";
import { type LoadedConfig, loadConfig, readConfigText, readSettings } from "../../config/load.ts";
import { type Settings, valueAt } from "../../config/path.ts";
import { ConfigError } from "../../core/errors.ts";
import { exists, writeAtomic } from "../../runtime/files.ts";
import { displayPath, resolve } from "../../runtime/paths.ts";
import { closeToOthers, isOpenToOthers } from "../../runtime/permissions.ts";
import { entrySecrets, writtenServers } from "../found-server.ts";
import type { Check } from "./check.ts";
import type { DoctorRequest } from "./examine.ts";

export interface ConfigurationResult {
  readonly checks: readonly Check[];
  /** `undefined` when it cannot be used. */
  readonly loaded: LoadedConfig | undefined;
  /** The file as it is written. */
  readonly settings: Settings;
}

export async function checkConfiguration({ load, machine, newConfig }: DoctorRequest): Promise<ConfigurationResult> {
  const base = { id: "config", label: "Configuration", category: "config" } as const;
  let loaded: LoadedConfig;
  try {
    loaded = await loadConfig(load);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const hint = "Correct what is named above; mcp-gateway config schema prints every setting";
    return { checks: [{ ...base, status: "fail", detail: error.message, hint }], loaded: undefined, settings: {} };
  }
  const { source, warnings, config } = loaded;
  if (source === undefined) {
    const path = resolve(machine.cwd, "gateway.yaml");
    const check: Check = {
      ...base,
      status: "warn",
      detail: "there is no configuration file: the built-in defaults are used",
      hint: "Write one",
      command: "mcp-gateway init",
      fix: { done: "Created gateway.yaml", rollback: "remove gateway.yaml", apply: () => writeAtomic(path, newConfig) },
    };
    return { checks: [check], loaded, settings: {} };
  }
  const label = displayPath(source.path, machine.cwd);
  const settings = await readSettings(await readConfigText(source.path, label), label);
  // Variables that are not set have a check of their own.
  const doubts = warnings.filter((line) => !/ uses \$\{\w+\}, which is not set/.test(line));
  const backends = `${Object.keys(config.backends).length} backend(s)`;
  const main: Check =
    doubts.length === 0
      ? { ...base, status: "pass", detail: `${label} is valid: ${backends}` }
      : { ...base, status: "warn", detail: `${label} is valid: ${backends}, but\n${doubts.join("\n")}` };
  return { checks: [main, ...(await checkPrivacy(loaded, settings, machine.cwd))], loaded, settings };
}

async function checkPrivacy(
  { config, source, watchPaths }: LoadedConfig,
  settings: Settings,
  cwd: string,
): Promise<Check[]> {
  // Who was granted what is no secret.
  const others = [source?.path, config.security.identity_grants.path];
  const envFiles = watchPaths.filter((path) => !others.includes(path));
  const withSecrets = [...(source !== undefined && hasSecrets(settings) ? [source.path] : []), ...envFiles];
  const checks: Check[] = [];
  for (const path of withSecrets) {
    const label = displayPath(path, cwd);
    const base = { id: `config.privacy.${label}`, label: `Privacy of ${label}`, category: "config" } as const;
    if (!(await exists(path))) {
      const hint = 'Make it, or take it out of "env_files"';
      checks.push({ ...base, status: "warn", detail: "the env file does not exist", hint });
    } else if (await isOpenToOthers(path))
      checks.push({
        ...base,
        status: "warn",
        detail: "it holds secrets and other users of this machine may read it",
        hint: `chmod go-rwx ${label}`,
        fix: {
          done: `Closed ${label} to other users`,
          rollback: `chmod go+r ${label}`,
          apply: () => closeToOthers(path),
        },
      });
    else checks.push({ ...base, status: "pass", detail: "only you may read it" });
  }
  return checks;
}

function hasSecrets(settings: Settings): boolean {
  const token = valueAt(settings, ["auth", "bearer_token"]);
  const isLiteral = typeof token === "string" && token !== "auto" && !token.startsWith("env:");
  return isLiteral || writtenServers(settings["backends"]).some(([, entry]) => entrySecrets(entry).some(looksSecret));
}
