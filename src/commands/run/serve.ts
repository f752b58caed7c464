/** The body of `serve`: from a configuration to open doors, and from a signal to an orderly end. */
import type { LoadedConfig } from "../../config/load.ts";
import { loadConfig } from "../../config/load.ts";
import { discoveredPaths } from "../../config/locate.ts";
import { ConfigError, GatewayError } from "../../core/errors.ts";
import type { LogLevel } from "../../core/log.ts";
import { version } from "../../core/version.ts";
import type { HttpDoor } from "../../doors/http/listen.ts";
import type { Tunnel } from "../../doors/tunnel/tunnel.ts";
import { AutoToken } from "../../gateway/auto-token.ts";
import { createGateway, type RunningGateway } from "../../gateway/create-gateway.ts";
import type { ReloadOutcome } from "../../gateway/gateway.ts";
import { knownSecrets } from "../../gateway/known-secrets.ts";
import { systemClock } from "../../lib/clock.ts";
import { Redactor } from "../../lib/redact.ts";
import { createLogger, type LeveledLogger } from "../../observe/log.ts";
import { createLogOutput } from "../../runtime/log-output.ts";
import { dataDirectory } from "../../runtime/paths.ts";
import { environment, exit, isTerminal, onSignal, printError, workingDirectory } from "../../runtime/process.ts";
import type { Watcher } from "../../runtime/watch.ts";
import type { ServeArgs } from "../serve.ts";

/** @param door where there is one that a tunnel can lead to */
type OnOpen = (url: string, door: HttpDoor | undefined) => void;

const logOutput = createLogOutput();
/** What the last lines of the log get to leave. */
const lastLinesMs = 200;

async function leave(code: number): Promise<never> {
  await logOutput.flushed(lastLinesMs);
  exit(code);
}
/** Callers who wait for the door are answered first; what nobody waits for comes this much later. */
const firstAnswersMs = 20;

export async function run(args: ServeArgs): Promise<void> {
  const env = environment();
  const request = {
    path: args.config,
    env,
    cwd: workingDirectory(),
    overrides: args.overrides,
    // A container that speaks stdio must come up even where nobody mounted a file.
    fallBack: args.stdio,
  };
  let loaded: LoadedConfig;
  try {
    loaded = await loadConfig(request);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    printError(error.message);
    exit(1);
  }

  const token = new AutoToken();
  const config = token.inForce(loaded.config);
  const redactor = new Redactor(knownSecrets(config, loaded.env));
  const log = createLogger({
    level: levelFrom(env["RUST_LOG"]) ?? args.logLevel,
    format: args.logFormat,
    colors: () => isTerminal("stderr") && !env["NO_COLOR"],
    write: logOutput.write,
    redact: redactor.redact,
  });
  for (const warning of loaded.warnings) log.warn(warning);
  for (const note of loaded.notes) log.debug(note);

  const gateway = createGateway({
    config,
    log,
    clock: systemClock,
    stateDirectory: dataDirectory(args.dataDir, env),
    env: loaded.env,
    redact: redactor.redact,
    learnSecret: (value) => redactor.add([value]),
    reloadConfig: loaded.source && (() => reloadNow()),
  });
  // Not through the log, which hides it: whoever started the gateway must see it once.
  if (config.auth.enabled && token.value !== undefined) printError(`Bearer token of this run: ${token.value}`);

  const adopt = async (next: LoadedConfig): Promise<ReloadOutcome> => {
    const nextConfig = token.inForce(next.config);
    redactor.add(knownSecrets(nextConfig, next.env));
    for (const warning of next.warnings) log.warn(warning);
    const outcome = await gateway.reload(nextConfig, next.env);
    gateway.configError = undefined;
    await followTunnel();
    return outcome;
  };
  const onChange = async (next: LoadedConfig | ConfigError) => {
    if (next instanceof ConfigError) return refuseReload(gateway, next);
    await adopt(next).catch((error: unknown) => refuseReload(gateway, error));
  };
  /** As when the file is seen to have changed, whether or not it has. */
  const reloadNow = async (): Promise<ReloadOutcome> => {
    try {
      return await adopt(await loadConfig({ ...request, path: loaded.source?.path, refuseEmpty: true }));
    } catch (error) {
      refuseReload(gateway, error);
      throw error;
    }
  };
  if (loaded.source !== undefined) gateway.operation.configFile = { path: loaded.source.path, reload: reloadNow };
  let leaving = false;
  let watcher: Watcher | undefined;
  let door: HttpDoor | undefined;
  let tunnel: Tunnel | undefined;
  const followTunnel = async () => {
    if (door === undefined || (tunnel === undefined && gateway.config.tunnel?.enabled !== true)) return;
    const { createTunnel } = await import("../../doors/tunnel/tunnel.ts");
    if (leaving) return;
    tunnel ??= createTunnel({ door, log, clock: systemClock });
    tunnel.follow(gateway.config.tunnel);
  };
  const settleIn = async (url: string, opened: HttpDoor | undefined) => {
    announce(gateway, log, url, loaded.source);
    gateway.warmUp();
    door = opened;
    await followTunnel();
    const { watchConfig } = await import("../../config/watch.ts");
    if (!leaving) watcher = watchConfig({ request, loaded, onChange });
  };
  let cancelSettling = () => {};
  const onOpen: OnOpen = (url, opened) => {
    cancelSettling = systemClock.after(firstAnswersMs, () => void settleIn(url, opened));
  };
  try {
    await (args.stdio ? serveOnStdio(gateway, log, onOpen) : serveOnHttp(gateway, log, onOpen));
  } finally {
    leaving = true;
    cancelSettling();
    watcher?.close();
    await Promise.all([gateway.close(), tunnel?.close()]);
  }
  await leave(0);
}

function refuseReload(gateway: RunningGateway, error: unknown): void {
  const reason = error instanceof Error ? error.message : String(error);
  gateway.configError = reason;
  gateway.log.error("The changed configuration cannot be used, the one before stays in force", { reason });
}

/** Resolves when the gateway has drained after a signal; a second signal ends the process at once. */
async function serveOnHttp(gateway: RunningGateway, log: LeveledLogger, onOpen: OnOpen): Promise<void> {
  const { openHttpDoor } = await import("../../doors/http/listen.ts");
  const door = await openHttpDoor(gateway).catch(async (error: unknown) => {
    if (!(error instanceof GatewayError)) throw error;
    printError(error.hint === undefined ? error.message : `${error.message}. ${error.hint}`);
    await gateway.close();
    return leave(1);
  });
  onOpen(door.url, door);
  await firstSignal(gateway, log);
  await gateway.drain();
  // As long as the last answers need to leave.
  await door.close(1_000);
}

async function serveOnStdio(gateway: RunningGateway, log: LeveledLogger, onOpen: OnOpen): Promise<void> {
  const { serveStdio } = await import("../../doors/stdio/stdio-door.ts");
  const { standardInput, standardOutput } = await import("../../runtime/stdio.ts");
  onOpen("stdio", undefined);
  const ended = serveStdio({ gateway, input: standardInput(), output: standardOutput });
  await Promise.race([ended, firstSignal(gateway, log)]);
  await gateway.drain();
}

function announce({ config }: RunningGateway, log: LeveledLogger, url: string, source: LoadedConfig["source"]): void {
  if (source === undefined)
    log.warn('No configuration file was found; "mcp-gateway init" writes one, --config names one', {
      looked_for: discoveredPaths.join(", "),
      directory: workingDirectory(),
    });
  log.info("MCP Gateway is ready", {
    version,
    url,
    config: source?.path,
    backends: Object.keys(config.backends).length,
    meta_mcp: config.meta_mcp.enabled,
    auth: config.auth.enabled,
  });
}

/** Terminals and wrappers such as npm send one Ctrl-C two or three times over. */
const sameSignalMs = 100;

/** Resolves at the first signal. A second one ends the process at once; the warden then ends its children. */
function firstSignal(gateway: RunningGateway, log: LeveledLogger): Promise<void> {
  return new Promise((resolve) => {
    let firstAtMs: number | undefined;
    onSignal(["SIGINT", "SIGTERM", "SIGHUP"], (signal) => {
      if (firstAtMs === undefined) {
        firstAtMs = systemClock.now();
        log.info("Stopping: running calls may finish", { signal, calls: gateway.inFlight });
        resolve();
      } else if (systemClock.now() - firstAtMs > sameSignalMs) {
        log.warn("Second signal: leaving at once", { signal });
        void leave(1);
      }
    });
  });
}

/** `RUST_LOG` of the product this one replaces: its first level word counts, targets are ignored. */
function levelFrom(rustLog: string | undefined): LogLevel | undefined {
  return rustLog?.toLowerCase().match(/\b(trace|debug|info|warn|error)\b/)?.[0] as LogLevel | undefined;
}
