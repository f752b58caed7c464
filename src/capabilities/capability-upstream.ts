/** The folder of capabilities as an upstream: what the pipeline carries need not be MCP. */

import { abortError } from "../core/abort-error.ts";
import { Answer } from "../core/answer.ts";
import { audienceOf, hiddenBy, hiddenByState } from "../core/audience.ts";
import type { RpcRequest } from "../core/call.ts";
import type { Caller } from "../core/caller.ts";
import { UpstreamError, UpstreamRpcError } from "../core/errors.ts";
import type { Logger } from "../core/log.ts";
import type { ServerDescription, Upstream, UpstreamEvents, UpstreamState, UpstreamStatus } from "../core/upstream.ts";
import { version } from "../core/version.ts";
import type { CancelSignal } from "../lib/cancellation.ts";
import type { Clock } from "../lib/clock.ts";
import { isJsonObject, type JsonObject } from "../lib/json.ts";
import { latestLegacyVersion, listKinds } from "../mcp/protocol.ts";
import { capabilityExtensions } from "../runtime/embedded.ts";
import type { ResolveHost } from "../runtime/internet-address.ts";
import type { Environment } from "../runtime/process.ts";
import type { Watcher, watchTree } from "../runtime/watch.ts";
import type { ListedCapability } from "./capability.ts";
import type { CapabilityCalls } from "./capability-calls.ts";
import type { Capabilities, Library, LoadedLibrary } from "./library.ts";
import type { ProjectionOptions } from "./projection-arm.ts";
import type { Backends } from "./run-tool.ts";
import type { Webhook } from "./webhooks/webhook.ts";

/** Editors and checkouts write many files at once, and some in several steps. */
const debounceMs = 300;

export interface CapabilityUpstreamOptions {
  readonly name: string;
  /** Absolute paths; a capability in an earlier one wins over one of the same name in a later one, and over a built-in. */
  readonly directories: readonly string[];
  /** Whether the capabilities embedded in the program are offered. */
  readonly builtin: boolean;
  /** For `{env.VAR}` and keys. */
  readonly env: Environment;
  /** Where logins are kept. */
  readonly stateDirectory: string;
  /** `security.ssrf_protection`: off lets capabilities reach private addresses. */
  readonly ssrfProtection: boolean;
  readonly log: Logger;
  readonly events: UpstreamEvents;
  readonly watch: typeof watchTree;
  readonly clock: Clock;
  /** Left out, no answer is projected. */
  readonly projection?: ProjectionOptions | undefined;
  /** Those whose tools providers of service `mcp` call. */
  readonly backends?: Backends | undefined;
  /** Told of the webhooks there are whenever the files were read. */
  readonly onWebhooks?: ((webhooks: readonly Webhook[]) => void) | undefined;
  /** The system's resolver by default. */
  readonly resolveHost?: ResolveHost;
}

export function createCapabilityUpstream(options: CapabilityUpstreamOptions): Upstream {
  return new CapabilityUpstream(options);
}

class CapabilityUpstream implements Upstream {
  readonly name: string;
  readonly kind = "capability";
  description: ServerDescription | undefined;

  readonly #options: CapabilityUpstreamOptions;
  #calls: CapabilityCalls | undefined;
  #library: Library | undefined;
  #tools: Capabilities = new Map();
  #list = Answer.of({ tools: [] });
  #state: UpstreamState = { is: "dormant" };
  #started: Promise<ServerDescription> | undefined;
  #reloading: Promise<void> = Promise.resolve();
  #watchers: Watcher[] = [];
  #cancelDebounce: (() => void) | undefined;
  #requestCount = 0;
  #lastError: string | undefined;

  constructor(options: CapabilityUpstreamOptions) {
    this.name = options.name;
    this.#options = options;
  }

  get isReady(): boolean {
    return this.#state.is === "ready";
  }

  async request(request: RpcRequest): Promise<Answer> {
    this.#requestCount++;
    if (!this.isReady) await this.start(request.signal);
    switch (request.method) {
      case "tools/list":
        return this.#list;
      case "tools/call":
        return this.#call(request);
      case "ping":
        return Answer.of({});
      default:
        throw this.#rpcError(-32601, `Method not found: ${request.method}`);
    }
  }

  /** Nothing a client can announce concerns a folder of files. */
  notify(): void {}

  async start(signal: CancelSignal): Promise<ServerDescription> {
    if (signal.aborted) throw abortError(signal);
    if (this.#state.is === "stopped") throw this.#closedError();
    this.#started ??= this.#begin();
    return this.#started;
  }

  /** Reads every file anew and forgets what broken files said before. */
  async restart(): Promise<void> {
    if (this.#library === undefined || this.#state.is === "stopped") return;
    this.#library = await this.#newLibrary();
    await this.#reload();
  }

  status(): UpstreamStatus {
    return {
      state: this.#state,
      restartCount: 0,
      requestCount: this.#requestCount,
      inFlight: this.#calls?.size ?? 0,
      // A folder cannot fail; a failing API is that API's affair and in `lastError`.
      consecutiveFailures: 0,
      healthy: this.#state.is !== "stopped",
      pid: undefined,
      lastError: this.#lastError,
    };
  }

  async close(graceMs: number): Promise<void> {
    this.#state = { is: "stopped" };
    this.#cancelDebounce?.();
    for (const watcher of this.#watchers) watcher.close();
    await this.#calls?.close(graceMs, this.#closedError());
    await this.#reloading;
  }

  async #begin(): Promise<ServerDescription> {
    const { directories, watch, events } = this.#options;
    this.#state = { is: "starting" };
    this.#library = await this.#newLibrary();
    if (this.#isStopped()) throw this.#closedError();
    // Before the first reading, so that no change falls between the two.
    this.#watchers = directories.map((directory) => watch(directory, capabilityExtensions, () => this.#onChange()));
    await this.#reload();
    if (this.#isStopped()) throw this.#closedError();
    this.#state = { is: "ready" };
    this.description = description;
    events.onConnected?.(this);
    return description;
  }

  #isStopped(): boolean {
    return this.#state.is === "stopped";
  }

  async #newLibrary(): Promise<Library> {
    const { createLibrary } = await import("./library.ts");
    const { directories, builtin, log, backends } = this.#options;
    return createLibrary(directories, builtin, log, backends?.has);
  }

  #onChange(): void {
    this.#cancelDebounce?.();
    this.#cancelDebounce = this.#options.clock.after(debounceMs, () => void this.#reload());
  }

  /** One after the other; never rejects. */
  #reload(): Promise<void> {
    this.#reloading = this.#reloading.then(async () => {
      try {
        await this.#replace(await (this.#library as Library).load());
      } catch (error) {
        this.#lastError = `Cannot load the capabilities: ${error instanceof Error ? error.message : String(error)}`;
        this.#options.log.error(this.#lastError, { server: this.name });
      }
    });
    return this.#reloading;
  }

  async #replace({ tools, webhooks }: LoadedLibrary): Promise<void> {
    const { env, stateDirectory, onWebhooks } = this.#options;
    const { Availability } = await import("./availability.ts");
    const availability = new Availability(env, stateDirectory);
    const sorted = [...tools.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
    const marked = await Promise.all(sorted.map((capability) => availability.mark(capability)));
    const listed = await this.#shown(sorted, marked);
    const before = this.#list.text;
    this.#tools = tools;
    this.#list = Answer.of({ tools: listed });
    onWebhooks?.(webhooks);
    if (this.isReady && this.#list.text !== before)
      this.#options.events.onNotification?.(this, listKinds.tools.changed, {});
  }

  /** As they are listed while some answers are projected. */
  async #shown(
    capabilities: readonly ListedCapability[],
    tools: readonly JsonObject[],
  ): Promise<readonly JsonObject[]> {
    if ((this.#options.projection?.mode ?? "off") === "off") return tools;
    const { projectedTool } = await import("./projection.ts");
    return tools.map((tool, at) => (capabilities[at]?.projection === undefined ? tool : projectedTool(tool)));
  }

  async #call(request: RpcRequest): Promise<Answer> {
    const { params } = request;
    const name = params?.["name"];
    const args = params?.["arguments"] ?? {};
    if (typeof name !== "string" || !isJsonObject(args))
      throw this.#rpcError(-32602, 'tools/call needs a text "name" and an object "arguments"');
    const listed = this.#tools.get(name);
    const reason = listed && hiddenBy(audienceOf(listed.tool), request.caller);
    if (listed === undefined || reason === "owner") throw this.#rpcError(-32602, `Unknown tool: ${name}`);
    // The lists decide this before; they may not know yet what the file says.
    if (reason === "state") throw hiddenByState(this.name, name, request.caller as Caller);
    const calls = await this.#loadCalls();
    const { answer, failure } = await calls.call(listed, args, request);
    if (failure !== undefined) this.#lastError = failure;
    return answer;
  }

  async #loadCalls(): Promise<CapabilityCalls> {
    // At the first call: the address tables alone take longer than the rest of the gateway's start.
    const { CapabilityCalls } = await import("./capability-calls.ts");
    if (this.#isStopped()) throw this.#closedError();
    this.#calls ??= new CapabilityCalls(this.#options);
    return this.#calls;
  }

  #rpcError(code: number, message: string): UpstreamRpcError {
    return new UpstreamRpcError({ code, message }, this.name);
  }

  #closedError(): UpstreamError {
    return new UpstreamError("UPSTREAM_CLOSED", `Backend "${this.name}" is stopped`, { data: { server: this.name } });
  }
}

const description: ServerDescription = {
  protocolVersion: latestLegacyVersion,
  serverInfo: { name: "mcp-gateway-capabilities", version },
  capabilities: { tools: { listChanged: true } },
  instructions: undefined,
};
