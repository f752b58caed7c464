/** From a file, variables and options to one checked configuration, or to every reason why not. */
import { ConfigError } from "../core/errors.ts";
import { maxYamlBytes } from "../lib/yaml-limits.ts";
import { exists, FileTooLargeError, isMissing, readText, systemErrorCode } from "../runtime/files.ts";
import { dirname, displayPath, expandHome, resolve } from "../runtime/paths.ts";
import type { Environment } from "../runtime/process.ts";
import { checkSettings } from "./check.ts";
import { parseEnvFile } from "./env-file.ts";
import type { EnvironmentOverrides } from "./environment.ts";
import { namesSettings } from "./environment-names.ts";
import type { Override } from "./explain.ts";
import { type ConfigSource, discoverConfig, namedConfig } from "./locate.ts";
import { dropNulls, isMap, type Settings, withValueAt } from "./path.ts";
import { readPlainYaml } from "./plain-yaml.ts";
import type { Problem } from "./problem.ts";
import type { Config } from "./schema.ts";

export interface LoadRequest {
  /** As given by `--config`; without it `MCP_GATEWAY_CONFIG` is asked, then the usual places. */
  readonly path?: string | undefined;
  readonly env: Environment;
  readonly cwd: string;
  /** From command-line options; they win over file and environment. */
  readonly overrides?: readonly Override[] | undefined;
  /** In place of a file: neither one nor variables that override settings are looked for, relative paths begin at `cwd`. */
  readonly settings?: unknown;
  /** Unknown keys are errors, whatever `config.strict` says. */
  readonly strict?: boolean | undefined;
  /** A named file that does not exist is a warning, and the usual places are asked. */
  readonly fallBack?: boolean | undefined;
  /** A file without any setting is an error: while running, it is one that is being written or was lost. */
  readonly refuseEmpty?: boolean | undefined;
}

export interface LoadedConfig {
  readonly config: Config;
  /** One line each, with its place. */
  readonly warnings: readonly string[];
  /** Worth a line at debug level only. */
  readonly notes: readonly string[];
  /** `undefined` when there is no file and everything is default. */
  readonly source: ConfigSource | undefined;
  /** Files whose change can change the configuration: the file itself, its env files, its file of grants, absolute. */
  readonly watchPaths: readonly string[];
  /** The environment with the env files in it: what `{env.X}` in capabilities means. */
  readonly env: Environment;
  /** The texts of {@link watchPaths} as they were read, `null` for what could not be; to tell a change from a mere event. */
  readonly contents: readonly (string | null)[];
}

/**
 * Loads the configuration. Nothing is kept between two calls.
 * @throws ConfigError whose message holds every problem, one per line, in the form `file:line:column  setting text`
 */
export async function loadConfig(request: LoadRequest): Promise<LoadedConfig> {
  const { settings: given } = request;
  const { source, missing } = given === undefined ? await locate(request) : { source: undefined, missing: [] };
  const label = source && displayPath(source.path, request.cwd);
  const text = source && label ? await readConfigText(source.path, label) : "";
  const file =
    label === undefined
      ? await inSections(given === undefined ? {} : plainCopy(given))
      : await readSettings(text, label, request.refuseEmpty);

  const toAbsolute = pathResolver(request, source);
  const envFiles = await Promise.all(envFileNames(file).map(toAbsolute));
  const envTexts = await Promise.all(envFiles.map(readIfPossible));
  const env = withEnvFiles(request.env, envTexts);
  const { overrides: fromEnvironment, notes } =
    given === undefined ? await overridesIn(env, file) : { overrides: [], notes: [] };
  const overrides = [...fromEnvironment, ...(request.overrides ?? [])];
  const settings = overrides.reduce<Settings>((all, { path, value }) => withValueAt(all, path, value), file);

  const { config, problems, warnings } = await checkSettings(settings, { env, toAbsolute, strict: request.strict });
  const explained = async (found: readonly Problem[]): Promise<string[]> => {
    if (found.length === 0) return [];
    const { explain } = await import("./explain.ts");
    return explain(found, { label, text, overrides });
  };
  if (config === undefined) throw new ConfigError((await explained(problems)).join("\n"));
  const { identity_grants } = config.security;
  const granted = identity_grants.enabled
    ? await (await import("./identity-grants/read-grants.ts")).readGrants(
        identity_grants,
        displayPath(identity_grants.path, request.cwd),
      )
    : undefined;
  const watched = source ? [source.path, ...envFiles] : envFiles;
  const contents = source ? [text, ...envTexts] : envTexts;
  return {
    config: granted === undefined ? config : { ...config, grants: granted.grants },
    warnings: [...missing, ...(await explained(warnings)), ...(granted?.warnings ?? [])],
    notes,
    source,
    watchPaths: granted === undefined ? watched : [...watched, identity_grants.path],
    contents: granted === undefined ? contents : [...contents, granted.text],
    env,
  };
}

/** @throws ConfigError saying why the file cannot be read */
export async function readConfigText(path: string, label: string): Promise<string> {
  try {
    return await readText(path, maxYamlBytes);
  } catch (error) {
    if (isMissing(error)) throw new ConfigError(`Configuration file "${path}" does not exist`, { cause: error });
    throw new ConfigError(`${label}  ${whyUnreadable(error)}`, { cause: error });
  }
}

/** The settings in the text, each in its section; a text without any is an empty map. @throws ConfigError */
export async function readSettings(text: string, label: string, refuseEmpty = false): Promise<Settings> {
  const plain = readPlainYaml(text);
  const value = plain === undefined ? await (await import("./explain.ts")).readAnyYaml(text, label) : plain.value;
  const start = `${label}:1:1`;
  dropNulls(value);
  if (value === null && refuseEmpty) throw new ConfigError(`${start}  The file is empty`);
  if (value === null) return {};
  if (isMap(value) && value["upstream"] === undefined) return inSections(value);
  const { foreignFile, hasUpstreamGroups, isToml } = await import("./foreign-file.ts");
  if (isMap(value) && !hasUpstreamGroups(value)) return inSections(value);
  if (isMap(value) || isToml(text, label)) throw foreignFile(label);
  throw new ConfigError(
    `${start}  The file must be a map of settings, not ${Array.isArray(value) ? "a list" : "text"}`,
  );
}

/** Only older files have settings that are in no section. */
async function inSections(settings: Settings): Promise<Settings> {
  if (Object.values(settings).every(isMap)) return settings;
  return (await import("./flat-settings.ts")).inSections(settings);
}

/** As a file would give them. @throws ConfigError when they are more than data */
function plainCopy(settings: unknown): Settings {
  let copy: unknown;
  try {
    copy = JSON.parse(JSON.stringify(settings));
  } catch {
    // What refers to itself, and whole numbers without a limit.
  }
  if (!isMap(copy)) throw new ConfigError("The configuration must be a map of settings, of plain data");
  dropNulls(copy);
  return copy;
}

async function locate(request: LoadRequest): Promise<{ source: ConfigSource | undefined; missing: string[] }> {
  const { path, env, cwd, fallBack } = request;
  const named = namedConfig(path, env, cwd);
  if (named !== undefined && (!fallBack || (await exists(named.path)))) return { source: named, missing: [] };
  const source = await discoverConfig(env, cwd);
  if (named === undefined) return { source, missing: [] };
  const instead = source === undefined ? "the built-in defaults are used" : `"${source.path}" is used instead`;
  return { source, missing: [`Configuration file "${named.path}" does not exist: ${instead}`] };
}

/** Relative paths mean the file's own directory; where nothing is there but is below the working directory, that. */
function pathResolver({ env, cwd }: LoadRequest, source: ConfigSource | undefined) {
  return async (path: string): Promise<string> => {
    const expanded = expandHome(path, env);
    const besideFile = resolve(source ? dirname(source.path) : cwd, expanded);
    const belowCwd = resolve(cwd, expanded);
    if (belowCwd === besideFile || (await exists(besideFile))) return besideFile;
    return (await exists(belowCwd)) ? belowCwd : besideFile;
  };
}

async function overridesIn(env: Environment, file: Settings): Promise<EnvironmentOverrides> {
  if (!namesSettings(env)) return { overrides: [], notes: [] };
  return (await import("./environment.ts")).environmentOverrides(env, file);
}

/** Wrong entries are left for the schema to refuse. */
function envFileNames(file: Settings): string[] {
  const names = file["env_files"];
  return Array.isArray(names) ? names.filter((name) => typeof name === "string") : [];
}

function readIfPossible(path: string): Promise<string | null> {
  return readText(path, maxYamlBytes).catch(() => null);
}

function withEnvFiles(env: Environment, texts: readonly (string | null)[]): Environment {
  return texts.length === 0 ? env : Object.assign({ ...env }, ...texts.map((text) => parseEnvFile(text ?? "")));
}

function whyUnreadable(error: unknown): string {
  if (error instanceof FileTooLargeError) return "The file is larger than 1 MiB";
  if (error instanceof TypeError) return "The file is not UTF-8 text";
  switch (systemErrorCode(error)) {
    case "EACCES":
    case "EPERM":
      return "The file cannot be read: permission denied";
    case "EISDIR":
      return "The file cannot be read: it is a directory";
    default:
      return `The file cannot be read: ${error instanceof Error ? error.message : String(error)}`;
  }
}
