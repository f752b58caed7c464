/**
 * The life of one server: started by the first who asks, shared by all, stopped when idle, started again after it
 * failed, but not too often. Knows nothing of transports, and never runs a request twice.
 */

import { abortError, untilAborted } from "../core/abort-error.ts";
import type { Answer } from "../core/answer.ts";
import type { RpcRequest } from "../core/call.ts";
import { GatewayError } from "../core/errors.ts";
import { withoutGatewayMeta } from "../core/gateway-meta.ts";
import type { Logger } from "../core/log.ts";
import type {
  Connect,
  Connection,
  ServerDescription,
  Upstream,
  UpstreamEvents,
  UpstreamKind,
} from "../core/upstream.ts";
import { Cancellation } from "../lib/cancellation.ts";
import type { Clock } from "../lib/clock.ts";
import { isStopping, notSent, notStartedAgainYet, startedTooSlowly, wasRestarted } from "./lifecycle-errors.ts";
import { answersPing } from "./ping.ts";
import { restartDelayMs } from "./restart-delay.ts";

export interface ManagedUpstreamOptions {
  readonly name: string;
  readonly kind: UpstreamKind;
  readonly connect: Connect;
  /** Time from the decision to start until `initialize` is answered. */
  readonly startTimeoutMs: number;
  /** Stops the server after this time without requests; `undefined` keeps it running. */
  readonly idleMs?: number | undefined;
  /** Failures in a row after which it stays down until {@link Upstream.restart}; `undefined` never gives up. */
  readonly maxFailures?: number | undefined;
  /** Time until a server that failed is started again, in place of one that grows with its failures. */
  readonly restartDelayMs?: number | undefined;
  /** Whether somebody waits for what the server will say by itself: then it is not idle. */
  readonly isHeld?: (() => boolean) | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  readonly events: UpstreamEvents;
  /** Takes secrets out of what the server said about a failure, before anybody is told. */
  readonly redact?: ((text: string) => string) | undefined;
  /** From 0 up to 1; for tests. */
  readonly random?: (() => number) | undefined;
}

export interface ManagedUpstream extends Upstream {
  /**
   * Asks whether the server lives: a ping when it is connected, a start when its back-off is over.
   * `undefined` when there is nothing to ask: dormant, starting, in back-off, stopped.
   * Neither counts as a request nor keeps the server from being idle. Three misses in a row replace the connection.
   */
  probe(timeoutMs: number): Promise<boolean | undefined>;
}

type Life =
  | { readonly is: "dormant" | "stopped" }
  | { readonly is: "starting"; readonly started: Promise<Connection>; readonly abort: Cancellation }
  | { readonly is: "ready"; readonly connection: Connection; readonly sinceMs: number }
  | { readonly is: "backoff"; readonly error: string; readonly retryAtMs: number };

/** A connection that held this long was sound: its end starts the back-off anew. */
const soundAfterMs = 60_000;
const allowedMisses = 3;

export function manageUpstream(options: ManagedUpstreamOptions): ManagedUpstream {
  const { name, clock, events, random = Math.random } = options;
  const log = options.log.with({ server: name });
  let life: Life = { is: "dormant" };
  let description: ServerDescription | undefined;
  /** Failed starts and lost connections since the last sound one. */
  let failures = 0;
  let misses = 0;
  /** The next start replaces what failed or was dropped. */
  let replaces = false;
  let restartCount = 0;
  let requestCount = 0;
  let inFlight = 0;
  let lastUsedMs = 0;
  let lastError: string | undefined;
  let cancelIdleTimer = () => {};
  /** What is still being stopped: the next start waits for it, because both may hold the same file or port. */
  let leaving: Promise<unknown> = Promise.resolve();
  let closing: Promise<void> | undefined;
  let isGraceOver = false;
  let wakeCloser = () => {};

  const connected = (): Promise<Connection> => {
    switch (life.is) {
      case "ready":
        return Promise.resolve(life.connection);
      case "starting":
        return life.started;
      case "backoff":
        return clock.now() < life.retryAtMs
          ? Promise.reject(notStartedAgainYet(name, life.error, life.retryAtMs - clock.now()))
          : begin();
      case "dormant":
        return begin();
      case "stopped":
        return Promise.reject(isStopping(name));
    }
  };

  const begin = (): Promise<Connection> => {
    const abort = new Cancellation();
    const started = open(abort);
    // Those who wait for it hear of a failure; with nobody waiting it is in the status and the log.
    started.catch(() => {});
    life = { is: "starting", started, abort };
    return started;
  };

  const open = async (abort: Cancellation): Promise<Connection> => {
    const { startTimeoutMs } = options;
    const startedMs = clock.now();
    const cancelTimer = clock.after(startTimeoutMs, () => abort.abort(startedTooSlowly(name, startTimeoutMs)));
    const isCurrent = () => life.is === "starting" && life.abort === abort;
    if (replaces) restartCount++;
    replaces = false;
    try {
      await leaving;
      const connection = await options.connect(abort, {
        onNotification: (method, params) => events.onNotification?.(upstream, method, params),
        onRenewed() {
          if (life.is !== "ready") return;
          description = life.connection.description;
          events.onConnected?.(upstream);
        },
      });
      if (!isCurrent()) {
        await connection.close();
        throw abortError(abort);
      }
      onReady(connection, clock.now() - startedMs);
      return connection;
    } catch (error) {
      const shown = notSent(withoutSecrets(error));
      if (!isCurrent()) throw shown;
      if (waitsForLogin(shown)) {
        life = { is: "dormant" };
        lastError = messageOf(shown);
      } else onFailure(messageOf(shown));
      throw shown;
    } finally {
      cancelTimer();
    }
  };

  const onReady = (connection: Connection, tookMs: number) => {
    life = { is: "ready", connection, sinceMs: clock.now() };
    description = connection.description;
    misses = 0;
    lastUsedMs = clock.now();
    waitForIdle(options.idleMs);
    log.info("The server is ready", { pid: connection.pid, tookMs: Math.round(tookMs) });
    void connection.closed.then((reason) => {
      if (life.is !== "ready" || life.connection !== connection) return;
      onLost(options.redact?.(reason) ?? reason);
      // A process that was given up may still be there for a moment.
      leaving = Promise.allSettled([leaving, connection.close()]);
    });
    events.onConnected?.(upstream);
  };

  const onLost = (reason: string) => {
    if (life.is === "ready" && clock.now() - life.sinceMs >= soundAfterMs) failures = 0;
    onFailure(reason, true);
    events.onDisconnected?.(upstream, reason);
  };

  /** @param ran whether it had been ready: one such failure may be an accident, and costs the next caller no wait (F1) */
  const onFailure = (error: string, ran = false) => {
    cancelIdleTimer();
    failures++;
    replaces = true;
    lastError = error;
    const isGivenUp = failures > (options.maxFailures ?? Number.POSITIVE_INFINITY);
    const growingMs = () => (ran && failures === 1 ? 0 : restartDelayMs(failures, random));
    const delayMs = isGivenUp ? Number.POSITIVE_INFINITY : (options.restartDelayMs ?? growingMs());
    life = { is: "backoff", error, retryAtMs: clock.now() + delayMs };
    log.warn("The server failed", { error, failures, ...(isGivenUp ? {} : { retryAfterMs: Math.round(delayMs) }) });
  };

  /** Ends whatever is connected or starting; the caller sets what comes next. */
  const leave = (next: "dormant" | "stopped", reason: string, error: GatewayError) => {
    const before = life;
    life = { is: next };
    cancelIdleTimer();
    if (before.is === "starting") {
      before.abort.abort(error);
      leaving = Promise.allSettled([leaving, before.started]);
    } else if (before.is === "ready") {
      leaving = Promise.allSettled([leaving, before.connection.close()]);
      log.info("The server is stopped", { reason });
      events.onDisconnected?.(upstream, reason);
    }
  };

  const waitForIdle = (ms: number | undefined) => {
    if (ms !== undefined) cancelIdleTimer = clock.after(ms, onIdleTimer);
  };

  /** One timer for the whole life of a connection instead of one per request. */
  const onIdleTimer = () => {
    const idleMs = options.idleMs as number;
    const isBusy = inFlight > 0 || options.isHeld?.() === true;
    const restMs = isBusy ? idleMs : idleMs - (clock.now() - lastUsedMs);
    if (restMs > 0) waitForIdle(restMs);
    else leave("dormant", "it was idle", isStopping(name));
  };

  /** Requests are still taken while others run: they waited in a queue before this server when it was retired. */
  const shutDown = async () => {
    while (inFlight > 0 && !isGraceOver)
      await new Promise<void>((resolve) => {
        wakeCloser = resolve;
      });
    leave("stopped", "it is not needed any more", isStopping(name));
    await leaving;
  };

  const withoutSecrets = (error: unknown): unknown => {
    if (error instanceof GatewayError && options.redact !== undefined) error.redact(options.redact);
    return error;
  };

  const onEnd = () => {
    inFlight--;
    lastUsedMs = clock.now();
    // A turn later, so that who waits for this very place gets it first.
    if (inFlight === 0 && closing !== undefined) clock.after(0, wakeCloser);
  };
  /** Made once, not for every request. */
  const onAnswer = (answer: Answer): Answer => {
    onEnd();
    // What agents and their tools are is written here, by us.
    return options.kind === "a2a" ? answer : withoutGatewayMeta(answer);
  };
  const onRefusal = (error: unknown): never => {
    onEnd();
    throw withoutSecrets(error);
  };

  const upstream: ManagedUpstream = {
    name,
    kind: options.kind,
    get description() {
      return description;
    },
    get isReady() {
      return life.is === "ready";
    },
    request(request: RpcRequest): Promise<Answer> {
      requestCount++;
      inFlight++;
      const answer =
        life.is === "ready"
          ? life.connection.request(request)
          : untilAborted(connected(), request.signal).then((connection) => connection.request(request));
      return answer.then(onAnswer, onRefusal);
    },
    notify(method, params) {
      if (life.is === "ready") life.connection.notify(method, params);
    },
    async start(signal) {
      return (await untilAborted(connected(), signal)).description;
    },
    async restart() {
      if (closing !== undefined) return closing;
      if (life.is !== "dormant") replaces = true;
      failures = 0;
      leave("dormant", "it is restarted", wasRestarted(name));
      await leaving;
    },
    async probe(timeoutMs) {
      if (closing !== undefined) return undefined;
      if (life.is === "backoff" && clock.now() >= life.retryAtMs)
        return begin().then(
          () => true,
          () => false,
        );
      // While it works for someone it may be too busy to answer, and those calls have timeouts of their own.
      if (life.is !== "ready" || inFlight > 0) return undefined;
      const { connection } = life;
      const alive = await answersPing(connection, timeoutMs, clock);
      if (life.is !== "ready" || life.connection !== connection) return alive;
      misses = alive ? 0 : misses + 1;
      if (misses >= allowedMisses) {
        onLost(`did not answer ${misses} pings in a row`);
        leaving = Promise.allSettled([leaving, connection.close()]);
      }
      return alive;
    },
    status() {
      const { is } = life;
      const consecutiveFailures = is === "ready" ? misses : failures;
      return {
        state:
          life.is === "backoff" ? { is: "backoff", error: life.error, retryAtMs: life.retryAtMs } : { is: life.is },
        restartCount,
        requestCount,
        inFlight,
        consecutiveFailures,
        healthy: consecutiveFailures === 0,
        pid: life.is === "ready" ? life.connection.pid : undefined,
        lastError,
      };
    },
    close(graceMs) {
      const endGrace = () => {
        isGraceOver = true;
        wakeCloser();
      };
      closing ??= shutDown();
      // A later call may shorten the grace of an earlier one.
      if (graceMs <= 0) endGrace();
      const cancelTimer = clock.after(graceMs, endGrace);
      return closing.finally(cancelTimer);
    },
  };
  return upstream;
}

/** Trying again would change nothing, and the next caller is to get the address as well. */
function waitsForLogin(error: unknown): boolean {
  return error instanceof GatewayError && error.code === "LOGIN_REQUIRED";
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
