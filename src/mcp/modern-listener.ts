/**
 * What a server of 2026-07-28 has to say that answers no request: one `subscriptions/listen` for everything wanted
 * (basic/patterns, "Subscriptions"). It is opened again when it ends, and replaced when something else is wanted.
 */

import { untilAborted } from "../core/abort-error.ts";
import type { Answer } from "../core/answer.ts";
import type { RpcRequest } from "../core/call.ts";
import { CancelledError, UpstreamRpcError } from "../core/errors.ts";
import { Cancellation, type CancelSignal } from "../lib/cancellation.ts";
import type { Clock } from "../lib/clock.ts";
import { isJsonObject, type JsonObject } from "../lib/json.ts";
import { sleep } from "../lib/sleep.ts";
import { metaKeys } from "./envelope.ts";
import { listKinds } from "./protocol.ts";

export interface ModernListenerOptions {
  readonly clock: Clock;
  /** Of the server. */
  readonly capabilities: JsonObject;
  /** Sends the request and resolves when the server ends it. */
  listen(request: RpcRequest): Promise<Answer>;
  onNotification(method: string, params: JsonObject): void;
}

const acknowledged = "notifications/subscriptions/acknowledged";
/** By what asks for it. */
const listChanges = {
  toolsListChanged: listKinds.tools.changed,
  promptsListChanged: listKinds.prompts.changed,
  resourcesListChanged: listKinds.resources.changed,
};
const firstDelayMs = 1_000;
const longestDelayMs = 60_000;
/** A server need not acknowledge at once; a client that watches must not wait for ever. */
const acknowledgeLimitMs = 2_000;

interface Listening {
  readonly cancellation: Cancellation;
  readonly acknowledged: PromiseWithResolvers<void>;
}

export class ModernListener {
  readonly #options: ModernListenerOptions;
  readonly #watched = new Set<string>();
  #current: Listening | undefined;
  #isClosed = false;
  #failures = 0;
  /** A listening had ended by itself. */
  #mayHaveMissed = false;

  constructor(options: ModernListenerOptions) {
    this.#options = options;
    if (Object.keys(this.#filter()).length > 0) this.#listen();
  }

  /** Resolves when the server tells us what it offered to tell, or was given the time for it. */
  begun(signal: CancelSignal): Promise<void> {
    return this.#current === undefined ? Promise.resolve() : this.#acknowledgement(this.#current, signal);
  }

  /** Resolves when the server knows. */
  async watch(uri: string, isWatched: boolean, signal: CancelSignal): Promise<void> {
    if (this.#watched.has(uri) === isWatched) return;
    if (isWatched) this.#watched.add(uri);
    else this.#watched.delete(uri);
    const before = this.#current;
    this.#failures = 0;
    const next = this.#listen();
    // Only then: between the two nothing is missed.
    await this.#acknowledgement(next, signal);
    before?.cancellation.abort(replaced);
  }

  /** A notification that names no request, or that of a listening. */
  take(method: string, params: JsonObject): void {
    if (method === acknowledged) this.#acknowledged(this.#current);
    else this.#options.onNotification(method, withoutSubscription(params));
  }

  close(): void {
    this.#isClosed = true;
    this.#current?.cancellation.abort(replaced);
  }

  #filter(): JsonObject {
    const { tools, prompts, resources } = this.#options.capabilities;
    const tells = (capability: unknown) => isJsonObject(capability) && capability["listChanged"] === true;
    return {
      ...(tells(tools) ? { toolsListChanged: true } : {}),
      ...(tells(prompts) ? { promptsListChanged: true } : {}),
      ...(tells(resources) ? { resourcesListChanged: true } : {}),
      ...(this.#watched.size > 0 ? { resourceSubscriptions: [...this.#watched] } : {}),
    };
  }

  #listen(): Listening {
    const listening: Listening = { cancellation: new Cancellation(), acknowledged: Promise.withResolvers<void>() };
    this.#current = listening;
    void this.#run(listening);
    return listening;
  }

  async #acknowledgement({ acknowledged }: Listening, signal: CancelSignal): Promise<void> {
    const enough = Promise.withResolvers<void>();
    const cancelTimer = this.#options.clock.after(acknowledgeLimitMs, enough.resolve);
    try {
      await untilAborted(Promise.race([acknowledged.promise, enough.promise]), signal);
    } finally {
      cancelTimer();
    }
  }

  #acknowledged(listening: Listening | undefined): void {
    listening?.acknowledged.resolve();
    if (!this.#mayHaveMissed) return;
    this.#mayHaveMissed = false;
    for (const [wanted, method] of Object.entries(listChanges))
      if (this.#filter()[wanted] === true) this.#options.onNotification(method, {});
  }

  async #run(listening: Listening): Promise<void> {
    const { listen, clock } = this.#options;
    const signal = listening.cancellation;
    while (!this.#isClosed && this.#current === listening && !signal.aborted) {
      const notifications = this.#filter();
      if (Object.keys(notifications).length === 0) break;
      try {
        await listen({
          method: "subscriptions/listen",
          params: { notifications },
          signal,
          onNotification: (method, params) => {
            this.#failures = 0;
            if (method === acknowledged) this.#acknowledged(listening);
            else this.#options.onNotification(method, withoutSubscription(params));
          },
        });
      } catch (error) {
        // It said no: asking again would not change that.
        if (error instanceof UpstreamRpcError) break;
      }
      this.#mayHaveMissed = true;
      const delayMs = Math.min(firstDelayMs * 2 ** this.#failures++, longestDelayMs);
      if (!signal.aborted) await sleep(delayMs, signal, clock).catch(() => {});
    }
    listening.acknowledged.resolve();
  }
}

const replaced = new CancelledError("The gateway listens for something else now");

/** The id of the subscription is ours, and nobody else's. */
function withoutSubscription(params: JsonObject): JsonObject {
  const meta = params["_meta"];
  if (!isJsonObject(meta) || meta[metaKeys.subscriptionId] === undefined) return params;
  const { [metaKeys.subscriptionId]: _ours, ...rest } = meta;
  if (Object.keys(rest).length > 0) return { ...params, _meta: rest };
  const { _meta, ...others } = params;
  return others as JsonObject;
}
