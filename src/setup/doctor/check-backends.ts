/** Each backend: its variables are set, its program is there, and it answers. */
import { expandVariables } from "../../config/expand.ts";
import type { LoadedConfig } from "../../config/load.ts";
import { isMap, type Settings } from "../../config/path.ts";
import { replicasOf } from "../../config/replicas.ts";
import type { BackendConfig } from "../../config/schema.ts";
import { GatewayError } from "../../core/errors.ts";
import { silentLogger } from "../../core/log.ts";
import { backendUpstream } from "../../gateway/backend-upstream.ts";
import { oauthOf } from "../../gateway/connect-backend.ts";
import { createIdentities, identityKeysFile } from "../../gateway/identities.ts";
import { type Isolation, isolationOf } from "../../gateway/isolation.ts";
import { knownSecrets } from "../../gateway/known-secrets.ts";
import { systemClock } from "../../lib/clock.ts";
import type { JsonObject } from "../../lib/json.ts";
import { Redactor } from "../../lib/redact.ts";
import { exists } from "../../runtime/files.ts";
import { findProgram } from "../../runtime/find-program.ts";
import type { Machine } from "../../runtime/machine.ts";
import { join } from "../../runtime/paths.ts";
import { HttpStatusError } from "../../upstreams/http/http-errors.ts";
import { providerProgram } from "../../upstreams/isolation/provider-program.ts";
import { missingVariables } from "../needed-variables.ts";
import type { Check } from "./check.ts";

export interface BackendRequest {
  readonly loaded: LoadedConfig;
  /** The file as it is written. */
  readonly settings: Settings;
  readonly machine: Machine;
  /** What the running gateway says of them, by name. */
  readonly running: ReadonlyMap<string, JsonObject>;
  /** Where the tokens of logins and the key for identities are. */
  readonly stateDirectory: string;
  /** Time each backend has to start and answer; `undefined` starts none. */
  readonly answerMs: number | undefined;
}

/** Each backend may be a package that is fetched first. */
const startedAtOnce = 4;

export async function checkBackends(request: BackendRequest): Promise<Check[]> {
  const backends = Object.values(request.loaded.config.backends).filter(({ enabled }) => enabled);
  const redactor = new Redactor(knownSecrets(request.loaded.config, request.loaded.env));
  const results: Check[][] = backends.map(() => []);
  let next = 0;
  const work = async () => {
    for (let at = next++; at < backends.length; at = next++)
      results[at] = await checkBackend(backends[at] as BackendConfig, request, redactor);
  };
  await Promise.all(Array.from({ length: startedAtOnce }, work));
  return results.flat();
}

async function checkBackend(backend: BackendConfig, request: BackendRequest, redactor: Redactor): Promise<Check[]> {
  const running = request.running.get(backend.name);
  // A second one might take from the first what both need: a port, a file, a lock.
  if (running?.["running"] === true) return [runsInGateway(backend, running)];
  const checks = checkVariables(backend.name, request);
  const replicas = replicasOf(backend);
  if (replicas.length === 0) return [...checks, await checkServer(backend, request, redactor)];
  for (const { id, backend: replica } of replicas) {
    const check = await checkServer(replica, request, redactor);
    checks.push({ ...check, id: `${check.id}.${id}`, label: `${check.label}, replica ${id}` });
  }
  return checks;
}

async function checkServer(backend: BackendConfig, request: BackendRequest, redactor: Redactor): Promise<Check> {
  const { config, env } = request.loaded;
  const isolation = isolationOf(backend, config.runtime, env);
  const problem = await programProblem(backend, isolation, request.machine);
  if (problem !== undefined) return problem;
  if (request.answerMs === undefined) return reachable(backend, isolation);
  return checkAnswer(backend, isolation, request.answerMs, request, redactor);
}

function runsInGateway(backend: BackendConfig, { pid, tools_cached: tools, replicas }: JsonObject): Check {
  const process = pid === null || pid === undefined ? "" : ` as process ${String(pid)}`;
  const detail = `runs in the gateway${process}, ${String(tools)} tool(s)`;
  const out = (Array.isArray(replicas) ? (replicas as JsonObject[]) : []).filter((one) => one["in_rotation"] === false);
  if (out.length === 0) return { ...baseOf(backend), status: "pass", detail };
  const reasons = out.map((one) => `replica "${String(one["id"])}": ${String(one["last_error"])}`).join("; ");
  const hint = "Its calls go to the other replicas until it answers again";
  return { ...baseOf(backend), status: "warn", detail: `${detail}, but without ${reasons}`, hint };
}

function checkVariables(name: string, { loaded, settings }: BackendRequest): Check[] {
  const { backends } = settings;
  const entry = isMap(backends) ? backends[name] : undefined;
  if (!isMap(entry)) return [];
  const base = { id: `environment.${name}`, label: `Variables of ${name}`, category: "environment" } as const;
  const unset = new Set<string>();
  expandVariables(entry, loaded.env, (variable) => unset.add(variable));
  if (unset.size > 0) {
    const hint = `Set ${unset.size === 1 ? "it" : "them"} in the environment or in a file named in "env_files"`;
    return [{ ...base, status: "fail", detail: `${[...unset].join(", ")} NOT SET`, hint }];
  }
  const missing = missingVariables(entry);
  if (missing.length > 0) {
    const detail = `the server usually needs ${missing.join(", ")}, and gets only what "env" of the backend names`;
    return [{ ...base, status: "warn", detail, hint: `Add to "env": ${missing[0]}: \${${missing[0]}}` }];
  }
  const named = new Set([...JSON.stringify(entry).matchAll(/\$\{(\w+)\}/g)].map(([, variable]) => variable));
  return named.size === 0 ? [] : [{ ...base, status: "pass", detail: `${[...named].join(", ")} set` }];
}

function categoryOf({ command, replicas }: BackendConfig): "backend_http" | "backend_stdio" {
  const isStdio = command !== undefined || replicas?.every((one) => one.command !== undefined);
  return isStdio ? "backend_stdio" : "backend_http";
}

function baseOf(backend: BackendConfig) {
  const category = categoryOf(backend);
  return { id: `${category}.${backend.name}`, label: `Backend ${backend.name}`, category } as const;
}

async function programProblem(
  backend: BackendConfig,
  isolation: Isolation | undefined,
  { cwd, env }: Machine,
): Promise<Check | undefined> {
  const [program] = backend.command ?? [];
  if (program === undefined) return undefined;
  const provider = isolation && providerProgram(isolation.profile);
  if (isolation !== undefined && provider !== undefined) {
    const path = backend.env["PATH"] ?? isolation.env["PATH"] ?? env["PATH"];
    if (findProgram(provider, path, cwd) !== undefined) return undefined;
    const detail = `"${provider}", which its profile runs it with, is not there`;
    return { ...baseOf(backend), status: "fail", detail, hint: installHint(provider) };
  }
  const folder = backend.cwd ?? cwd;
  if (!(await exists(folder))) {
    const hint = 'Correct "cwd" of the backend';
    return { ...baseOf(backend), status: "fail", detail: `its working directory "${folder}" does not exist`, hint };
  }
  const path = backend.env["PATH"] ?? env["PATH"];
  if (findProgram(program, path, folder) !== undefined) return undefined;
  const detail = /[/\\]/.test(program)
    ? `"${program}" does not exist or is not executable`
    : `"${program}" is not in PATH`;
  return { ...baseOf(backend), status: "fail", detail, hint: installHint(program) };
}

function installHint(program: string): string {
  if (/^(npx|npm|node)$/.test(program)) return "Install Node.js 20 or newer: https://nodejs.org";
  if (/^(uvx|uv)$/.test(program)) return "Install uv: https://docs.astral.sh/uv";
  if (program === "bwrap") return "Install the package bubblewrap";
  if (/^(docker|podman)$/.test(program)) return `Install ${program}, or run the server without a container`;
  if (/^python3?$/.test(program)) return "Install Python 3";
  return "Install it, or give its full path in the command";
}

function reachable(backend: BackendConfig, isolation: Isolation | undefined): Check {
  const program = (isolation && providerProgram(isolation.profile)) ?? backend.command?.[0];
  const detail = program === undefined ? "not asked" : `"${program}" is there; not started`;
  return { ...baseOf(backend), status: "pass", detail };
}

async function checkAnswer(
  backend: BackendConfig,
  isolation: Isolation | undefined,
  limitMs: number,
  { stateDirectory, machine, loaded }: BackendRequest,
  redactor: Redactor,
): Promise<Check> {
  const answerMs = Math.min(backend.start_timeout, limitMs);
  const oauth = {
    directory: join(stateDirectory, "oauth"),
    key: machine.env["MCP_GATEWAY_TOKEN_KEY"],
    onSecret: (value: string) => redactor.add([value]),
    onAccess() {},
    onLoginRequired() {},
    onLoggedIn() {},
    onProblem() {},
  };
  const trustsBackends = () => loaded.config.security.trust_configured_backends;
  const context = { clock: systemClock, log: silentLogger, oauth, trustsBackends };
  const access = await oauthOf(backend, context);
  const { redact } = redactor;
  const identities = createIdentities({
    config: () => loaded.config,
    clock: systemClock,
    redact,
    keyPath: join(stateDirectory, identityKeysFile),
    onProblem() {},
  });
  // What we are let in by is handed over as it is: looking must not begin a login that somebody would have to end.
  const header = await access?.header();
  const upstream = backendUpstream(
    {
      ...backend,
      start_timeout: answerMs,
      ...(access !== undefined && {
        oauth: { ...backend.oauth, enabled: false } as BackendConfig["oauth"],
        headers: { ...backend.headers, ...(header !== undefined && { Authorization: header }) },
      }),
    },
    { ...context, events: {}, isWatched: () => false, redact, identities },
    isolation,
  );
  const startedAtMs = systemClock.now();
  try {
    const { serverInfo, protocolVersion } = await upstream.start(AbortSignal.timeout(answerMs + 1_000));
    const named = [serverInfo["name"], serverInfo["version"]].filter((part) => typeof part === "string").join(" ");
    const took = Math.round(systemClock.now() - startedAtMs);
    const detail = `answers as ${named || "a server without a name"}, protocol ${protocolVersion}, after ${took} ms`;
    return { ...baseOf(backend), status: "pass", detail };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const detail = redactor.redact(message);
    if (access !== undefined && isUnauthorized(error))
      return {
        ...baseOf(backend),
        status: "fail",
        detail,
        hint: "Log in",
        command: `mcp-gateway auth login ${backend.name}`,
      };
    const hint = error instanceof GatewayError ? error.hint : undefined;
    return { ...baseOf(backend), status: "fail", detail, ...(hint !== undefined && { hint }) };
  } finally {
    await upstream.close(0);
  }
}

function isUnauthorized(error: unknown): boolean {
  for (let one = error; one instanceof Error; one = one.cause)
    if (one instanceof HttpStatusError && one.status === 401) return true;
  return false;
}
