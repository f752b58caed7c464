/** From plain settings to the configuration the program runs on, with everything that is wrong or worth a warning. */
import type { Environment } from "../runtime/process.ts";
import { type Findings, finishBackend, prepareBackends, warnOfUnset } from "./backends.ts";
import { configOutline } from "./config-outline.ts";
import { takeEveryday } from "./everyday-settings.ts";
import { expandVariables } from "./expand.ts";
import type { HeldSettings } from "./hold-against-schemas.ts";
import { needsRules } from "./needs-rules.ts";
import { type Path, type Settings, valueAt, withValueAt } from "./path.ts";
import type { Problem } from "./problem.ts";
import type { BackendConfig, Config, ParsedConfig } from "./schema.ts";
import { resolveSecrets } from "./secrets.ts";

export interface CheckContext {
  readonly env: Environment;
  /** Makes a path of the file absolute. */
  readonly toAbsolute: (path: string) => Promise<string>;
  readonly strict?: boolean | undefined;
}

export interface CheckedSettings {
  /** `undefined` when there are problems. */
  readonly config: Config | undefined;
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
}

export async function checkSettings(settings: Settings, context: CheckContext): Promise<CheckedSettings> {
  const found: Findings = { problems: [], warnings: [] };
  const prepared = prepare(settings, context.env, found);
  const held = await hold(prepared);
  const { wrong, unknown, pending } = held;
  found.problems.push(...wrong.filter(({ path }) => !found.problems.some((other) => isWithin(path, other.path))));
  let { parsed } = held;
  if (parsed !== undefined) {
    const rules: Findings = { problems: [], warnings: found.warnings };
    if (needsRules(prepared)) (await import("./rules.ts")).checkRules(parsed, unknown, rules);
    const { auth, mtls, key_server, agent_auth, control_plane, tunnel } = parsed;
    if (auth.users.length > 0 || auth.issuers.length > 0 || mtls || key_server || agent_auth || control_plane || tunnel)
      (await import("./access-rules.ts")).checkAccess(parsed, rules);
    if (parsed.runtime !== undefined)
      (await import("./isolation-rules.ts")).checkIsolation(parsed, parsed.runtime, context.env, rules);
    if (usesServerSigning(parsed.security))
      (await import("./server-signing/check-server-signatures.ts")).checkServerSignatures(parsed, context.env, rules);
    const { identity_grants } = parsed.security;
    if (identity_grants.enabled || identity_grants.trust_caller_identity_headers)
      (await import("./identity-grants/check-grants.ts")).checkGrants(parsed, rules);
    if (!parsed.security.trust_configured_backends) (await import("./address-rules.ts")).checkAddresses(parsed, rules);
    if (hasPatterns(parsed)) (await import("./pattern-rules.ts")).checkPatterns(parsed, rules);
    if (Object.values(parsed.backends).some(({ identity_propagation }) => identity_propagation !== undefined))
      (await import("./identity-rules.ts")).checkIdentities(parsed, rules);
    parsed = resolveSecrets(parsed, held.secrets, context.env, rules.problems);
    if (parsed.shared_state !== undefined) (await import("./access-rules.ts")).checkSharedState(parsed, rules);
    if (Object.values(parsed.backends).some(({ secrets }) => secrets !== undefined))
      parsed = await (await import("./injected-secrets.ts")).resolveInjected(parsed, context.env, rules);
    // A value that was refused is not in `parsed`, so what a rule says about its surroundings may not be true.
    const refused = [...wrong, ...found.problems];
    found.problems.push(...rules.problems.filter(({ path }) => !refused.some((other) => isWithin(other.path, path))));
    found.warnings.push(...pending);
  }
  const strict = context.strict || valueAt(settings, ["config", "strict"]) === true;
  const explained = new Set(found.problems.map(({ at, path }) => JSON.stringify(at ?? path)));
  const unexplained = unknown.filter(({ path }) => !explained.has(JSON.stringify(path)));
  (strict ? found.problems : found.warnings).push(...unexplained);
  if (parsed === undefined || found.problems.length > 0) return { config: undefined, ...found };
  return { config: await finish(parsed, context), ...found };
}

async function hold(settings: Settings): Promise<HeldSettings> {
  const everyday = takeEveryday(configOutline, settings);
  if (everyday !== undefined) return { ...everyday, wrong: [], unknown: [], pending: [] };
  return (await import("./hold-against-schemas.ts")).holdAgainstSchemas(settings);
}

/** What has to happen to the file's values before the schemas see them. */
function prepare(settings: Settings, env: Environment, found: Findings): Settings {
  let prepared = settings;
  const backends = prepareBackends(settings["backends"], env, found);
  if (backends !== undefined) prepared = withValueAt(prepared, ["backends"], backends);
  for (const path of [
    ["capabilities", "directories"],
    ["playbooks", "directories"],
    ["runtime"],
    ["shared_state", "redis_url"],
  ] as Path[]) {
    const value = valueAt(prepared, path);
    if (value === undefined) continue;
    const expanded = expandVariables(value, env, warnOfUnset(found), path);
    prepared = withValueAt(prepared, path, expanded);
  }
  return prepared;
}

async function finish(parsed: ParsedConfig, { env, toAbsolute }: CheckContext): Promise<Config> {
  const backends: [string, BackendConfig][] = [];
  const folder = async (cwd: string | undefined) => (cwd === undefined ? undefined : toAbsolute(cwd));
  for (const [name, backend] of Object.entries(parsed.backends)) {
    const cwd = await folder(backend.cwd);
    const replicas = backend.replicas?.map(async (replica) => ({ ...replica, cwd: await folder(replica.cwd) }));
    const located = { ...backend, cwd, ...(replicas && { replicas: await Promise.all(replicas) }) };
    backends.push([name, finishBackend(name, located, env)]);
  }
  const absolute = (directories: readonly string[]) =>
    Promise.all(directories.filter((directory) => directory !== "").map(toAbsolute));
  const { capabilities, playbooks, runtime } = parsed;
  const { mtls, control_plane } = parsed;
  const file = async (path: string) => (path === "" ? "" : toAbsolute(path));
  const { firewall, transparency_log, claim_capture, identity_grants: grants } = parsed.security;
  const claims = claim_capture.enabled ? await toAbsolute(claim_capture.path) : claim_capture.path;
  const record = transparency_log.enabled ? await toAbsolute(transparency_log.path) : transparency_log.path;
  const audit_log = firewall.audit_log === undefined ? undefined : await toAbsolute(firewall.audit_log);
  return {
    ...parsed,
    ...(mtls && {
      mtls: {
        ...mtls,
        server_cert: await file(mtls.server_cert),
        server_key: await file(mtls.server_key),
        ca_cert: await file(mtls.ca_cert),
        crl_path: mtls.crl_path === undefined ? undefined : await file(mtls.crl_path),
      },
    }),
    ...(control_plane?.export.enabled && {
      control_plane: {
        ...control_plane,
        export: { ...control_plane.export, sink_path: await toAbsolute(control_plane.export.sink_path) },
      },
    }),
    ...(runtime && { runtime: await (await import("./isolation-rules.ts")).withAbsolutePaths(runtime, toAbsolute) }),
    capabilities: { ...capabilities, directories: await absolute(capabilities.directories) },
    // Where there are none to be had, the disk is not asked.
    playbooks: playbooks.enabled ? { ...playbooks, directories: await absolute(playbooks.directories) } : playbooks,
    backends: Object.fromEntries(backends),
    security: {
      ...parsed.security,
      firewall: { ...firewall, audit_log },
      transparency_log: { ...transparency_log, path: record },
      identity_grants: grants.enabled ? { ...grants, path: await toAbsolute(grants.path) } : grants,
      claim_capture: { ...claim_capture, path: claims },
    },
  };
}

function usesServerSigning({ remote_server_signing: signing }: ParsedConfig["security"]): boolean {
  const maps = [signing.trusted_keys, signing.backends];
  return signing.require_for_remote_backends || maps.some((map) => Object.keys(map).length > 0);
}

function hasPatterns({ backends, security }: ParsedConfig): boolean {
  return (
    Object.keys(security.response_contract.tools).length > 0 ||
    Object.values(backends).some(({ transform }) => transform !== undefined)
  );
}

function isWithin(path: Path, ancestor: Path): boolean {
  return ancestor.length <= path.length && ancestor.every((step, at) => path[at] === step);
}
