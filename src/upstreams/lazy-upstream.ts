/**
 * Stands for an upstream from the start on, and loads it with the first use: the first answer of a gateway can do
 * without. Others know the server by this object, so what it reports comes from here.
 */
import type { Answer } from "../core/answer.ts";
import type { RpcRequest } from "../core/call.ts";
import {
  asleep,
  type ServerDescription,
  type Upstream,
  type UpstreamEvents,
  type UpstreamKind,
} from "../core/upstream.ts";
import type { CancelSignal } from "../lib/cancellation.ts";
import type { JsonObject } from "../lib/json.ts";
import type { ManagedUpstream } from "./managed-upstream.ts";

export interface LazyUpstreamOptions<T> {
  readonly name: string;
  readonly kind: UpstreamKind;
  readonly events: UpstreamEvents;
  load(events: UpstreamEvents): Promise<T>;
}

type Loadable = Upstream & Partial<Pick<ManagedUpstream, "probe">>;

export class LazyUpstream<T extends Loadable> implements ManagedUpstream {
  readonly name: string;
  readonly kind: UpstreamKind;
  readonly #options: LazyUpstreamOptions<T>;
  #loading: Promise<T> | undefined;
  /** `undefined` before the first use. */
  protected made: T | undefined;

  constructor(options: LazyUpstreamOptions<T>) {
    this.name = options.name;
    this.kind = options.kind;
    this.#options = options;
  }

  get description(): ServerDescription | undefined {
    return this.made?.description;
  }

  get isReady(): boolean {
    return this.made?.isReady === true;
  }

  request(request: RpcRequest): Promise<Answer> {
    return this.made?.request(request) ?? this.#loaded().then((made) => made.request(request));
  }

  notify(method: string, params: JsonObject): void {
    this.made?.notify(method, params);
  }

  async start(signal: CancelSignal): Promise<ServerDescription> {
    return (await this.#loaded()).start(signal);
  }

  async restart(): Promise<void> {
    await this.made?.restart();
  }

  async probe(timeoutMs: number): Promise<boolean | undefined> {
    return this.made?.probe?.(timeoutMs);
  }

  status() {
    return this.made?.status() ?? asleep;
  }

  /** Also where it was never used: it must not start after that. */
  async close(graceMs: number): Promise<void> {
    await (await this.#loaded()).close(graceMs);
  }

  #loaded(): Promise<T> {
    this.#loading ??= this.#load();
    return this.#loading;
  }

  async #load(): Promise<T> {
    const { events } = this.#options;
    this.made = await this.#options.load({
      onNotification: (_made, method, params) => events.onNotification?.(this, method, params),
      onConnected: () => events.onConnected?.(this),
      onDisconnected: (_made, reason) => events.onDisconnected?.(this, reason),
    });
    return this.made;
  }
}
