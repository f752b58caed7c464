/** Puts a gateway together for the program that embeds it, as `serve` does for the command line, and takes it apart. */
import { toolEffects } from "../catalog/tool-effects.ts";
import { type LoadedConfig, loadConfig } from "../config/load.ts";
import type { Caller } from "../core/caller.ts";
import { CancelledError, DeniedError, GatewayError } from "../core/errors.ts";
import type { HttpApp } from "../doors/http/app.ts";
import type { HttpDoor } from "../doors/http/listen.ts";
import { newRequestId } from "../doors/request-id.ts";
import { AutoToken } from "../gateway/auto-token.ts";
import { createGateway, type RunningGateway } from "../gateway/create-gateway.ts";
import type { ReloadOutcome } from "../gateway/gateway.ts";
import { knownSecrets } from "../gateway/known-secrets.ts";
import { systemClock } from "../lib/clock.ts";
import { suggestion } from "../lib/did-you-mean.ts";
import type { JsonObject as Json } from "../lib/json.ts";
import { Redactor } from "../lib/redact.ts";
import { hostPeer } from "../runtime/host-connection.ts";
import { resolve } from "../runtime/paths.ts";
import { environment, workingDirectory } from "../runtime/process.ts";
import { randomToken } from "../runtime/random.ts";
import type {
  CallOptions,
  EmbeddedGateway,
  FoundTool,
  GatewayConfig,
  GatewayOptions,
  GatewayServer,
  GatewayTool,
  JsonObject,
  Listener,
  ToolResult,
} from "./create-gateway.ts";
import { hostLogger } from "./host-logger.ts";

/** The program itself, which has the gateway in its hands anyway. */
const hostCaller: Caller = {
  principal: "host",
  name: "host",
  admin: true,
  backends: undefined,
  allowedTools: undefined,
  deniedTools: undefined,
};

/** As long as the last answers need to leave. */
const lastAnswersMs = 1_000;
const defaultLimit = 10;

/** What turns the settings, or the path, of the host into a configuration; with it, secrets become known. */
class Settings {
  readonly redactor = new Redactor();
  readonly token = new AutoToken();
  readonly #env: Readonly<Record<string, string | undefined>>;
  #config: GatewayConfig | string;

  constructor({ config, env = environment() }: GatewayOptions) {
    this.#config = config;
    this.#env = env;
  }

  get isFile(): boolean {
    return typeof this.#config === "string";
  }

  /** @throws ConfigError, and the ones before stay */
  async load(config = this.#config): Promise<LoadedConfig> {
    const from = typeof config === "string" ? { path: config, refuseEmpty: true } : { settings: config ?? null };
    const loaded = await loadConfig({ ...from, env: this.#env, cwd: workingDirectory() });
    this.#config = config;
    const inForce = this.token.inForce(loaded.config);
    this.redactor.add(knownSecrets(inForce, loaded.env));
    return { ...loaded, config: inForce };
  }
}

export async function startEmbedded(options: GatewayOptions): Promise<EmbeddedGateway> {
  const settings = new Settings(options);
  const { config, env, warnings, source } = await settings.load();
  const { redact } = settings.redactor;
  const log = hostLogger(options.logger, redact);
  for (const warning of warnings) log.warn(warning);
  const { dataDirectory } = options;
  const reloadFile = () => embedded.adopt(undefined);
  const gateway = createGateway({
    config,
    log,
    clock: systemClock,
    stateDirectory: dataDirectory === undefined ? undefined : resolve(workingDirectory(), dataDirectory),
    env,
    redact,
    learnSecret: (value) => settings.redactor.add([value]),
    reloadConfig: settings.isFile ? reloadFile : undefined,
  });
  const embedded = new Embedded(gateway, settings);
  if (source !== undefined) gateway.operation.configFile = { path: source.path, reload: reloadFile };
  gateway.warmUp();
  return embedded;
}

class Embedded implements EmbeddedGateway {
  readonly #gateway: RunningGateway;
  readonly #settings: Settings;
  readonly #doors = new Set<HttpDoor>();
  #app: Promise<HttpApp> | undefined;
  #closing: Promise<void> | undefined;

  constructor(gateway: RunningGateway, settings: Settings) {
    this.#gateway = gateway;
    this.#settings = settings;
  }

  readonly fetch = async (request: Request, connection?: unknown): Promise<Response> => {
    this.#app ??= this.#createApp();
    const app = await this.#app;
    return app.fetch(request, hostPeer(request, connection));
  };

  get bearerToken(): string | undefined {
    return this.#settings.token.value;
  }

  async listen(address: { host?: string; port?: number } = {}): Promise<Listener> {
    this.#assertOpen();
    const { openHttpDoor } = await import("../doors/http/listen.ts");
    const door = await openHttpDoor(this.#gateway, systemClock, address);
    const close = async () => {
      this.#doors.delete(door);
      await door.close(lastAnswersMs);
    };
    this.#doors.add(door);
    if (this.#closing !== undefined) {
      await close();
      this.#assertOpen();
    }
    return { url: door.url, port: door.port, close };
  }

  listServers(): GatewayServer[] {
    return this.#gateway.servers().map(({ name, description, kind, enabled, circuit, status }) => {
      const { state, restartCount, lastError } = status;
      return { name, description, kind, enabled, state: state.is, circuit, restartCount, lastError };
    });
  }

  async listTools(server?: string): Promise<GatewayTool[]> {
    await this.#ensureListed(server);
    return this.#enabled(server).flatMap((name) =>
      (this.#gateway.catalog.list(name, "tools") ?? []).map((listed) => toolOf(name, listed)),
    );
  }

  async searchTools(query: string, { limit = defaultLimit, server }: SearchOptions = {}): Promise<FoundTool[]> {
    await this.#ensureListed(server);
    const enabled = this.#enabled(server);
    const visible = (name: string) => enabled.includes(name);
    const hits = await this.#gateway.catalog.search(query, { limit, server, visible });
    return hits.map((hit) => ({ ...toolOf(hit.server, hit.listed), score: hit.score }));
  }

  async callTool(server: string, tool: string, args: JsonObject = {}, options: CallOptions = {}): Promise<ToolResult> {
    this.#assertOpen();
    const { signal = new AbortController().signal, timeoutMs } = options;
    if (signal.aborted) throw signal.reason ?? new CancelledError();
    const { catalog, config } = this.#gateway;
    const { value } = await this.#gateway.call({
      upstream: server,
      method: "tools/call",
      params: { name: tool, arguments: args as Json },
      caller: hostCaller,
      sessionId: undefined,
      requestId: newRequestId(),
      // Nobody stands between the program and its own gateway who could repeat a call.
      nonce: { text: randomToken(16) },
      deadline: systemClock.now() + (timeoutMs ?? config.server.request_timeout),
      signal,
      ...toolEffects(catalog.tool(server, tool)),
    });
    return value as unknown as ToolResult;
  }

  async reload(config?: GatewayConfig | string): Promise<{ changes: string; restartRequired: boolean }> {
    const { changes, restart_required } = await this.adopt(config);
    return { changes, restartRequired: restart_required };
  }

  async adopt(config: GatewayConfig | string | undefined): Promise<ReloadOutcome> {
    this.#assertOpen();
    const next = await this.#settings.load(config);
    for (const warning of next.warnings) this.#gateway.log.warn(warning);
    return this.#gateway.reload(next.config, next.env);
  }

  async close(): Promise<void> {
    this.#closing ??= this.#close();
    await this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    await this.#gateway.drain();
    if (this.#app !== undefined) (await this.#app).endStreams();
    await Promise.all([...this.#doors].map((door) => door.close(lastAnswersMs)));
    const { dismissWarden } = await import("../runtime/warden.ts");
    dismissWarden();
  }

  async #createApp(): Promise<HttpApp> {
    const { createHttpApp } = await import("../doors/http/app.ts");
    return createHttpApp(this.#gateway, this.#gateway.config.server.host, systemClock);
  }

  /** One server rejects with why it could not be asked; of all, those that cannot be asked are passed over. */
  async #ensureListed(server: string | undefined): Promise<void> {
    this.#assertOpen();
    await this.#gateway.catalog.ready();
    const { operation } = this.#gateway;
    const known = this.listServers().map(({ name }) => name);
    if (server !== undefined && !known.includes(server))
      throw new DeniedError("SERVER_NOT_FOUND", `There is no backend "${server}"${suggestion(server, known)}`);
    if (server !== undefined) await operation.ensureTools(server);
    else await Promise.allSettled(this.#enabled(undefined).map((name) => operation.ensureTools(name)));
  }

  #enabled(only: string | undefined): string[] {
    const servers = this.#gateway.servers().filter(({ enabled }) => enabled);
    return servers.map(({ name }) => name).filter((name) => only === undefined || name === only);
  }

  #assertOpen(): void {
    if (this.#closing !== undefined) throw new GatewayError("SHUTTING_DOWN", "The gateway is closed");
  }
}

type SearchOptions = NonNullable<Parameters<EmbeddedGateway["searchTools"]>[1]>;

function toolOf(server: string, listed: Json): GatewayTool {
  return { ...listed, server } as unknown as GatewayTool;
}
