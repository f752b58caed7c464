/** Every open legacy session. Ids come from the caller of {@link createSessionTable}, so that the room stays free of I/O. */

import { defaultState } from "../core/audience.ts";
import { CancelledError } from "../core/errors.ts";
import type { Clock } from "../lib/clock.ts";
import type { JsonObject } from "../lib/json.ts";
import { encodeRequest } from "../mcp/json-rpc.ts";
import { listKinds } from "../mcp/protocol.ts";
import { canBeAsked } from "./client-capabilities.ts";
import { ClientRequests } from "./client-requests.ts";
import { takePeerMessage } from "./peer-messages.ts";
import type { Session, SessionTable } from "./session.ts";
import type { Subscriptions, Watched } from "./subscriptions.ts";

/** A session as it outlives its process. */
export interface SavedSession extends SessionInit {
  readonly logLevel: string | undefined;
  /** Calendar time in milliseconds of its last message, or up to a quarter of its lifetime before. */
  readonly seenAt: number;
  readonly watches: readonly (Watched & { readonly shownAs: string })[];
}

/** Nothing here rejects. */
export interface SessionStore {
  /** Resolves when it is where other gateways look for it, if there are any. */
  save(id: string, session: SavedSession): void | Promise<void>;
  /** It is over. */
  remove(id: string): void;
  /** It is of no more use here; other gateways may still have it. */
  leave(id: string): void;
  load(id: string): Promise<SavedSession | undefined>;
  removeOlderThan(calendarMs: number): Promise<void>;
  /** Resolves when everything said so far is done. */
  flush(): Promise<void>;
  /** The gateways that have the same sessions; `undefined` while this one is alone. */
  readonly peers?: SessionPeers | undefined;
  /** Set by the table: what it is to be told of other gateways. */
  onPeer?: PeerEvents | undefined;
}

export interface SessionPeers {
  /** As {@link SessionStore.save}, with them alone. */
  share(id: string, session: SavedSession): Promise<void>;
  /** Hands a message of the session's client, or for it, to whoever waits for it. */
  tell(id: string, messageText: string): void;
}

export interface PeerEvents {
  /** The session was ended at another gateway. */
  onEnded(id: string): void;
  onChanged(id: string, session: SavedSession): void;
  /** As another gateway said it with {@link SessionPeers.tell}. */
  onMessage(id: string, messageText: string): void;
  /** The other gateways are in reach again: they may not know what happened here. */
  onReunited(): Promise<void>;
}

export interface SessionTableOptions {
  readonly clock: Clock;
  /** Calendar time in milliseconds. */
  readonly calendar: () => number;
  /** 256 random bits as visible ASCII. */
  readonly newId: () => string;
  /** Live settings of the `streaming` section. */
  readonly settings: () => {
    readonly session_ttl: number;
    readonly session_reaper_interval: number;
    readonly buffer_size: number;
  };
  readonly subscriptions: Subscriptions;
  /** Without one, sessions end with the process. */
  readonly store?: SessionStore | undefined;
  /** Called once for each session, when it is over. */
  readonly onEnd?: ((session: Session) => void) | undefined;
  /** Called for each session that another process had opened, or changed; with what nobody watches any more. */
  readonly onRestored?: ((session: Session, unwatched: readonly Watched[]) => void) | undefined;
}

/** Until the answer that carries the session's id is out. */
const saveDelayMs = 5;

export function createSessionTable(options: SessionTableOptions): SessionTable {
  const { clock, newId, settings, store, subscriptions } = options;
  const sessions = new Map<string, OpenSession>();
  const restoring = new Map<string, Promise<void>>();
  /** Gateways that share a session ask its client under different ids. */
  const idPrefix = newId().slice(0, 8);
  /** Opened a moment ago and not written down yet. */
  const fresh = new Set<OpenSession>();
  let sweptMs = Number.NEGATIVE_INFINITY;
  let stopReaper = clock.after(settings().session_reaper_interval, reap);

  function reap(): void {
    const { session_ttl, session_reaper_interval } = settings();
    const oldest = clock.now() - session_ttl;
    for (const session of sessions.values())
      if (session.lastSeenMs < oldest && !session.streaming && session.running.size === 0) end(session, "here");
      else if (session.streaming && clock.now() > session.saveAgainMs) void save(session);
    if (clock.now() - sweptMs > session_ttl) {
      sweptMs = clock.now();
      void store?.removeOlderThan(options.calendar() - session_ttl * 1.25);
    }
    stopReaper = clock.after(session_reaper_interval, reap);
  }

  /** @param where nobody uses it here, which says nothing of other gateways; or it is over */
  function end(session: OpenSession, where: "here" | "everywhere"): void {
    sessions.delete(session.id);
    fresh.delete(session);
    if (session.isKept && where === "here") store?.leave(session.id);
    else if (session.isKept) store?.remove(session.id);
    session.end();
    options.onEnd?.(session);
  }

  function save(session: OpenSession): void | Promise<void> {
    if (!session.isKept || store === undefined) return;
    fresh.delete(session);
    session.saveAgainMs = clock.now() + settings().session_ttl / 4;
    return store.save(session.id, savedOf(session));
  }

  function savedOf(session: OpenSession): SavedSession {
    const { principal, backend, protocolVersion, clientInfo, clientCapabilities, profile, state, logLevel } = session;
    const init = { principal, backend, protocolVersion, clientInfo, clientCapabilities, profile, state };
    return { ...init, logLevel, seenAt: options.calendar(), watches: subscriptions.watchedBy(session) };
  }

  function tellPeers(session: OpenSession, messageText: string): void {
    if (session.isKept) store?.peers?.tell(session.id, messageText);
  }

  function add(id: string, init: SessionInit, isKept: boolean): OpenSession {
    const session = new OpenSession(id, init, clock.now(), {
      isKept,
      questionPrefix: `${idPrefix}-`,
      bufferSize: () => settings().buffer_size,
      tellPeers: (messageText) => tellPeers(session, messageText),
    });
    sessions.set(id, session);
    return session;
  }

  async function bringBack(id: string): Promise<void> {
    const saved = await store?.load(id);
    if (saved === undefined || sessions.has(id)) return;
    if (options.calendar() - saved.seenAt > settings().session_ttl * 1.25) return;
    const session = add(id, saved, true);
    session.saveAgainMs = clock.now();
    adopt(session, saved);
  }

  function adopt(session: OpenSession, saved: SavedSession): void {
    session.logLevel = saved.logLevel;
    const isOtherView = session.profile !== saved.profile || session.state !== (saved.state ?? defaultState);
    session.profile = saved.profile;
    session.state = saved.state ?? defaultState;
    // It was given another view at another gateway, and its stream is here.
    if (isOtherView && session.streaming)
      for (const { changed } of [listKinds.tools, listKinds.resources, listKinds.prompts])
        session.notify(changed, undefined);
    const before = subscriptions.removeWatcher(session);
    for (const { shownAs, ...watched } of saved.watches) subscriptions.add(session, watched, shownAs);
    const unwatched = before.filter((watched) => !subscriptions.has(watched));
    options.onRestored?.(session, unwatched);
  }

  if (store !== undefined)
    store.onPeer = {
      onEnded(id) {
        const session = sessions.get(id);
        if (session !== undefined) end(session, "here");
      },
      onChanged(id, saved) {
        const session = sessions.get(id);
        if (session !== undefined) adopt(session, saved);
      },
      onMessage(id, messageText) {
        const session = sessions.get(id);
        if (session !== undefined) takePeerMessage(session, messageText);
      },
      async onReunited() {
        // One by one: there may be thousands, and calls wait for the same connection.
        for (const session of [...sessions.values()])
          if (session.isKept && sessions.has(session.id)) await store.peers?.share(session.id, savedOf(session));
      },
    };

  function find(id: string, principal: string, backend: string | undefined): Session | undefined {
    const session = sessions.get(id);
    if (session === undefined || session.principal !== principal || session.backend !== backend) return undefined;
    session.lastSeenMs = clock.now();
    if (session.lastSeenMs > session.saveAgainMs) void save(session);
    return session;
  }

  return {
    open(init, isKept = false) {
      const session = add(newId(), init, isKept);
      if (store !== undefined && isKept) {
        fresh.add(session);
        clock.after(saveDelayMs, () => fresh.has(session) && save(session));
      }
      return session;
    },
    async share(session) {
      const known = sessions.get(session.id);
      if (known !== undefined && store?.peers !== undefined) await save(known);
    },
    find,
    async restore(id, principal, backend) {
      if (store === undefined) return undefined;
      const running = restoring.get(id) ?? bringBack(id).finally(() => restoring.delete(id));
      restoring.set(id, running);
      await running;
      return find(id, principal, backend);
    },
    save(session) {
      const known = sessions.get(session.id);
      if (known !== undefined) void save(known);
    },
    tellPeers(session, messageText) {
      const known = sessions.get(session.id);
      if (known !== undefined) tellPeers(known, messageText);
    },
    has: (id, principal) => sessions.get(id)?.principal === principal,
    close(id, principal) {
      const session = sessions.get(id);
      if (session === undefined || session.principal !== principal) return false;
      end(session, "everywhere");
      return true;
    },
    get size() {
      return sessions.size;
    },
    all: () => sessions.values(),
    async closeAll() {
      stopReaper();
      for (const session of fresh) void save(session);
      for (const session of sessions.values()) {
        sessions.delete(session.id);
        session.end();
      }
      await store?.flush();
    },
  };
}

export type SessionInit = Parameters<SessionTable["open"]>[0];

interface OpenSessionOptions {
  readonly isKept: boolean;
  readonly questionPrefix: string;
  readonly bufferSize: () => number;
  tellPeers(messageText: string): void;
}

class OpenSession implements Session {
  readonly id: string;
  readonly principal: string;
  caller: Session["caller"];
  readonly backend: string | undefined;
  readonly protocolVersion: Session["protocolVersion"];
  readonly clientInfo: Session["clientInfo"];
  readonly clientCapabilities: Session["clientCapabilities"];
  profile: string | undefined;
  state: string;
  readonly canBeAsked: boolean;
  readonly running: Session["running"] = new Map();
  readonly questions: ClientRequests;
  readonly elicitations = new Set<string>();
  logLevel: string | undefined;
  lastSeenMs: number;
  /** Whether it outlives this process. */
  readonly isKept: boolean;
  /** Monotonic milliseconds from when on its use is to be written down again: a quarter of its lifetime. */
  saveAgainMs = Number.POSITIVE_INFINITY;
  readonly #options: OpenSessionOptions;
  #waiting: string[] = [];
  #stream: { send: (messageText: string) => void; end: () => void } | undefined;

  constructor(id: string, init: SessionInit, nowMs: number, options: OpenSessionOptions) {
    this.id = id;
    this.principal = init.principal;
    this.backend = init.backend;
    this.protocolVersion = init.protocolVersion;
    this.clientInfo = init.clientInfo;
    this.clientCapabilities = init.clientCapabilities;
    this.profile = init.profile;
    this.state = init.state ?? defaultState;
    this.canBeAsked = canBeAsked(init.clientCapabilities);
    this.lastSeenMs = nowMs;
    this.isKept = options.isKept;
    this.questions = new ClientRequests(options.questionPrefix);
    this.#options = options;
  }

  get streaming(): boolean {
    return this.#stream !== undefined;
  }

  push(messageText: string): void {
    if (this.#stream !== undefined) {
      this.#stream.send(messageText);
      return;
    }
    // A change of a list is worth telling once, however often it changed while nobody listened.
    if (this.#waiting.includes(messageText)) return;
    this.#waiting.push(messageText);
    if (this.#waiting.length > this.#options.bufferSize()) this.#waiting.shift();
  }

  notify(method: string, params: JsonObject | undefined): void {
    const messageText = encodeRequest(undefined, method, params);
    // The stream may be at another gateway. That a list changed, every gateway sees for itself.
    if (!this.streaming && params !== undefined) this.#options.tellPeers(messageText);
    this.push(messageText);
  }

  attach(send: (messageText: string) => void, end: () => void): () => void {
    this.#stream?.end();
    const stream = { send, end };
    this.#stream = stream;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const messageText of waiting) send(messageText);
    return () => {
      if (this.#stream === stream) this.#stream = undefined;
    };
  }

  end(): void {
    for (const controller of this.running.values()) controller.abort(new CancelledError("The session ended"));
    this.running.clear();
    this.questions.end();
    this.#stream?.end();
    this.#stream = undefined;
  }
}
