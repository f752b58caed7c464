/**
 * Gives each attempt its time: the backend's `timeout`, started anew by every progress notification, standing still
 * while the client is asked something (a person may be thinking), and never beyond the call's deadline
 * (basic/lifecycle, "Timeouts"). It aborts the attempt and waits for it to end instead of racing it, so that nothing of
 * it is still running when the caller has its error.
 */

import { abortError } from "../../core/abort-error.ts";
import type { Call, Stage } from "../../core/call.ts";
import { DeniedError, UpstreamError } from "../../core/errors.ts";
import { Cancellation } from "../../lib/cancellation.ts";
import type { Clock } from "../../lib/clock.ts";
import { SharedTimer, type Wait, type Waiting } from "../../lib/shared-timer.ts";

export function timeoutStage(timeoutMs: number, clock: Clock): Stage {
  const timer = new SharedTimer(timeoutMs, clock);
  return (call, next) => {
    if (call.signal.aborted) return Promise.reject(abortError(call.signal));
    const nowMs = clock.now();
    if (nowMs >= call.deadline) return Promise.reject(deadlineReached(call));
    const attempt = new Attempt(call, timer, clock, nowMs);
    return next(attempt.call).then(
      (answer) => {
        attempt.end();
        return answer;
      },
      (error) => {
        attempt.end();
        throw attempt.timedOut ?? error;
      },
    );
  };
}

/** One attempt while it runs: its own cancellation, which follows the call's. */
class Attempt extends Cancellation implements Waiting {
  /** What the upstream gets. */
  readonly call: Call;
  timedOut: UpstreamError | undefined;
  readonly #original: Call;
  readonly #timer: SharedTimer;
  readonly #clock: Clock;
  readonly #startedAtMs: number;
  /** Progress only moves this mark, which is looked at when the time is over: a chatty backend starts no timers. */
  #quietSinceMs: number;
  /** Questions of the server that the client has not answered yet. */
  #questions = 0;
  #wait: Wait | undefined;
  /** Of a timer of its own, for a time that is not the common one. */
  #cancelRest: (() => void) | undefined;

  constructor(call: Call, timer: SharedTimer, clock: Clock, nowMs: number) {
    super();
    const { onProgress, client } = call;
    this.#original = call;
    this.#timer = timer;
    this.#clock = clock;
    this.#startedAtMs = nowMs;
    this.#quietSinceMs = nowMs;
    this.call = { ...call, signal: this };
    if (onProgress !== undefined)
      this.call = {
        ...this.call,
        onProgress: (params) => {
          this.#quietSinceMs = clock.now();
          onProgress(params);
        },
      };
    if (client !== undefined)
      this.call = {
        ...this.call,
        client: {
          sessionId: client.sessionId,
          capabilities: client.capabilities,
          ask: (...question) => {
            this.#questions++;
            return client.ask(...question).finally(() => {
              this.#questions--;
              this.#quietSinceMs = clock.now();
            });
          },
        },
      };
    call.signal.addEventListener("abort", this);
    if (nowMs + timer.ms <= call.deadline) this.#wait = timer.start(this, nowMs);
    else this.#waitFor(call.deadline - nowMs);
  }

  /** The call was cancelled. */
  handleEvent(): void {
    this.abort(this.#original.signal.reason);
  }

  onTime(): void {
    const { deadline } = this.#original;
    const nowMs = this.#clock.now();
    if (this.#questions > 0) this.#quietSinceMs = nowMs;
    const dueAtMs = Math.min(this.#quietSinceMs + this.#timer.ms, deadline);
    if (nowMs < dueAtMs) {
      this.#waitFor(dueAtMs - nowMs);
      return;
    }
    this.timedOut =
      nowMs < deadline
        ? attemptTooSlow(this.#original, this.#timer.ms)
        : callTooSlow(this.#original, nowMs - this.#startedAtMs);
    this.abort(this.timedOut);
  }

  end(): void {
    this.#wait?.cancel();
    this.#cancelRest?.();
    this.#original.signal.removeEventListener("abort", this);
  }

  #waitFor(ms: number): void {
    this.#cancelRest = this.#clock.after(ms, () => this.onTime());
  }
}

function attemptTooSlow({ upstream: server, method }: Call, timeoutMs: number): UpstreamError {
  return new UpstreamError("TIMEOUT", `Server "${server}" did not answer "${method}" within ${timeoutMs} ms`, {
    hint: `Raise backends.${server}.timeout if the server needs longer`,
    data: { server, timeout_ms: timeoutMs },
  });
}

function callTooSlow({ upstream: server, method }: Call, tookMs: number): UpstreamError {
  const ms = Math.round(tookMs);
  return new UpstreamError(
    "TIMEOUT",
    `Server "${server}" did not answer "${method}" in the ${ms} ms left to the call`,
    {
      hint: "Raise server.request_timeout if calls need longer",
      data: { server, timeout_ms: ms },
    },
  );
}

/** Not the server's failure: it was not asked. */
function deadlineReached({ upstream: server, method }: Call): DeniedError {
  return new DeniedError("TIMEOUT", `The call "${method}" reached its deadline before server "${server}" was asked`, {
    hint: "Raise server.request_timeout if calls need longer",
    data: { server },
  });
}
