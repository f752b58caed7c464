/**
 * A session with the server for each caller, beside the one of the gateway itself: servers that keep something in a
 * session, or bind it to whom it is of, must not mix up callers. Lists, pings and subscriptions are asked of the
 * gateway's own, so that health and catalogue are those of the server and not of whoever called last.
 */
import type { Answer } from "../../core/answer.ts";
import type { AttachmentHolder, RpcRequest } from "../../core/call.ts";
import { silentLogger } from "../../core/log.ts";
import type { Connect, Connection, ConnectionEvents, ServerDescription } from "../../core/upstream.ts";
import type { Clock } from "../../lib/clock.ts";
import { type ManagedUpstream, manageUpstream } from "../managed-upstream.ts";

/** Without calls, the session of a caller is over. */
const idleMs = 300_000;
/** The one least recently used makes room, once its calls are done. */
const maxSessions = 100;
const graceMs = 30_000;

export interface PerCallerOptions {
  readonly name: string;
  readonly startTimeoutMs: number;
  readonly clock: Clock;
  /** How a session of one caller is made, with what goes along with everything it sends. */
  connect(attachment: AttachmentHolder["attachment"]): Connect;
}

/** @param own makes the session of the gateway itself */
export function perCallerConnect(own: Connect, options: PerCallerOptions): Connect {
  return async (signal, events) => new PerCallerConnection(await own(signal, events), events, options);
}

interface CallerSession {
  /** Of the last call: its credentials are the newest. */
  holder: AttachmentHolder;
  readonly upstream: ManagedUpstream;
}

class PerCallerConnection implements Connection {
  readonly pid = undefined;
  readonly closed: Promise<string>;
  readonly #own: Connection;
  readonly #events: ConnectionEvents;
  readonly #options: PerCallerOptions;
  /** Least recently used first. */
  readonly #sessions = new Map<string, CallerSession>();
  readonly #leaving = new Set<Promise<void>>();

  constructor(own: Connection, events: ConnectionEvents, options: PerCallerOptions) {
    this.#own = own;
    this.#events = events;
    this.#options = options;
    this.closed = own.closed;
  }

  get description(): ServerDescription {
    return this.#own.description;
  }

  request(request: RpcRequest): Promise<Answer> {
    const holder = request.attached?.holder;
    if (holder === undefined) return this.#own.request(request);
    // Shared by all who watch the same thing, and kept when the session of the first of them is over.
    if (/^resources\/(?:un)?subscribe$/.test(request.method))
      return this.#own.request({ ...request, attached: undefined });
    const session = this.#sessionOf(holder);
    return session.upstream.request(request).catch((error: unknown) => {
      const { state, inFlight } = session.upstream.status();
      // The next attempt may come with better credentials, and need not wait for the back-off of this one.
      if (state.is !== "ready" && inFlight === 0) this.#end(holder.key, session, 0);
      throw error;
    });
  }

  notify(method: string, params: RpcRequest["params"] & object): void {
    this.#own.notify(method, params);
  }

  async close(): Promise<void> {
    for (const [key, session] of this.#sessions) this.#end(key, session, 0);
    await Promise.all([this.#own.close(), ...this.#leaving]);
  }

  #sessionOf(holder: AttachmentHolder): CallerSession {
    const { key } = holder;
    const session = this.#sessions.get(key) ?? this.#open(holder);
    session.holder = holder;
    this.#sessions.delete(key);
    this.#sessions.set(key, session);
    if (this.#sessions.size > maxSessions)
      for (const [oldest, one] of this.#sessions) {
        this.#end(oldest, one, graceMs);
        break;
      }
    return session;
  }

  #open(holder: AttachmentHolder): CallerSession {
    const { name, startTimeoutMs, clock, connect } = this.#options;
    const upstream = manageUpstream({
      name,
      kind: "http",
      connect: connect(() => session.holder.attachment()),
      startTimeoutMs,
      idleMs,
      clock,
      // Whoever calls is told, and so is the record of calls.
      log: silentLogger,
      events: {
        onNotification: (_upstream, method, params) => this.#events.onNotification(method, params),
        onDisconnected: () => this.#end(holder.key, session, 0),
      },
    });
    const session: CallerSession = { holder, upstream };
    return session;
  }

  #end(key: string, session: CallerSession, restMs: number): void {
    if (this.#sessions.get(key) === session) this.#sessions.delete(key);
    const left = session.upstream.close(restMs).finally(() => this.#leaving.delete(left));
    this.#leaving.add(left);
  }
}
