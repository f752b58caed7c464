/** Every open legacy session. Ids come from the caller of {@link createSessionTable}, so that the room stays free of I/O. */

import { CancelledError } from "../core/errors.ts";
import type { Clock } from "../lib/clock.ts";
import { ClientRequests } from "./client-requests.ts";
import type { Session, SessionTable } from "./session.ts";

export interface SessionTableOptions {
  readonly clock: Clock;
  /** 256 random bits as visible ASCII. */
  readonly newId: () => string;
  /** Live settings of the `streaming` section. */
  readonly settings: () => {
    readonly session_ttl: number;
    readonly session_reaper_interval: number;
    readonly buffer_size: number;
  };
  /** Called once for each session, when it is over. */
  readonly onEnd?: ((session: Session) => void) | undefined;
}

export function createSessionTable(options: SessionTableOptions): SessionTable {
  const { clock, newId, settings } = options;
  const sessions = new Map<string, OpenSession>();
  let stopReaper = clock.after(settings().session_reaper_interval, reap);

  function reap(): void {
    const oldest = clock.now() - settings().session_ttl;
    for (const session of sessions.values())
      if (session.lastSeenMs < oldest && !session.streaming && session.running.size === 0) end(session);
    stopReaper = clock.after(settings().session_reaper_interval, reap);
  }

  function end(session: OpenSession): void {
    sessions.delete(session.id);
    session.end();
    options.onEnd?.(session);
  }

  return {
    open(init) {
      const session = new OpenSession(newId(), init, clock.now(), () => settings().buffer_size);
      sessions.set(session.id, session);
      return session;
    },
    find(id, principal, backend) {
      const session = sessions.get(id);
      if (session === undefined || session.principal !== principal || session.backend !== backend) return undefined;
      session.lastSeenMs = clock.now();
      return session;
    },
    has: (id, principal) => sessions.get(id)?.principal === principal,
    close(id, principal) {
      const session = sessions.get(id);
      if (session === undefined || session.principal !== principal) return false;
      end(session);
      return true;
    },
    get size() {
      return sessions.size;
    },
    all: () => sessions.values(),
    closeAll() {
      stopReaper();
      for (const session of sessions.values()) end(session);
    },
  };
}

type SessionInit = Parameters<SessionTable["open"]>[0];

class OpenSession implements Session {
  readonly id: string;
  readonly principal: string;
  readonly backend: string | undefined;
  readonly protocolVersion: Session["protocolVersion"];
  readonly clientInfo: Session["clientInfo"];
  readonly clientCapabilities: Session["clientCapabilities"];
  readonly running: Session["running"] = new Map();
  readonly questions = new ClientRequests();
  readonly elicitations = new Set<string>();
  logLevel: string | undefined;
  lastSeenMs: number;
  readonly #bufferSize: () => number;
  #waiting: string[] = [];
  #stream: { send: (messageText: string) => void; end: () => void } | undefined;

  constructor(id: string, init: SessionInit, nowMs: number, bufferSize: () => number) {
    this.id = id;
    this.principal = init.principal;
    this.backend = init.backend;
    this.protocolVersion = init.protocolVersion;
    this.clientInfo = init.clientInfo;
    this.clientCapabilities = init.clientCapabilities;
    this.lastSeenMs = nowMs;
    this.#bufferSize = bufferSize;
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
    if (this.#waiting.length > this.#bufferSize()) this.#waiting.shift();
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
