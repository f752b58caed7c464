/** The list of policies every call walks through. A new policy is a folder, a state if it needs one, and one line here. */
import type { Stage } from "../core/call.ts";
import type { Upstream } from "../core/upstream.ts";
import { accountStage } from "./account/account-stage.ts";
import { breakerStage } from "./breaker/breaker-stage.ts";
import { concurrencyStage } from "./concurrency/concurrency-stage.ts";
import { rateLimitStage } from "./rate-limit/rate-limit-stage.ts";
import { type CallSink, type RunningCalls, recordStage } from "./record/record-stage.ts";
import { retryStage } from "./retry/retry-stage.ts";
import type { FailsafeSettings } from "./schema.ts";
import { scopeStage } from "./scope/scope-stage.ts";
import { timeoutStage } from "./timeout/timeout-stage.ts";
import type { UpstreamStageState } from "./upstream-stage-state.ts";
import { wakeStage } from "./wake/wake-stage.ts";

export interface StageOptions {
  readonly upstream: Pick<Upstream, "isReady" | "start">;
  /** The `failsafe` settings in force for this backend, its overrides included. */
  readonly settings: FailsafeSettings;
  /** The backend's `timeout`: the time of one attempt. */
  readonly timeoutMs: number;
  readonly state: UpstreamStageState;
  /** Whether the server was let in by a login of the gateway's owner that is not for every caller. */
  readonly isPersonal?: (() => boolean) | undefined;
  /** Told how every call ended; no observer, no stage. */
  readonly sink?: CallSink | undefined;
  /** Has each call in it while it runs. */
  readonly running?: RunningCalls | undefined;
}

/** For `chain` of core/call.ts, outermost first, once per backend and configuration; `undefined` is a policy that is off. */
export function stagesFor({
  upstream,
  settings,
  timeoutMs,
  state,
  isPersonal,
  sink,
  running,
}: StageOptions): (Stage | undefined)[] {
  const { clock } = state;
  return [
    // Outermost: what the others refuse is recorded too.
    recordStage(sink, clock, running),
    // Before anything that looks at the content or costs the backend something: strangers learn and use nothing.
    scopeStage,
    // Around retry: a call that is being repeated still occupies the backend.
    concurrencyStage(settings.concurrency, state.concurrency, clock),
    // Around the three below: they see attempts.
    retryStage(settings.retry, state.retryBudget, clock, state.random),
    // Before the breaker: a refused attempt must not take the breaker's only probe.
    rateLimitStage(settings.rate_limit, state.rateLimit),
    // Around timeout: an attempt that took too long is a failure.
    breakerStage(settings.circuit_breaker, state.breaker),
    // Before timeout: a start has a time limit of its own; below the breaker: a failed start is a failure.
    wakeStage(upstream),
    // Below wake: whether a login was needed is known once the server is connected.
    accountStage(isPersonal),
    // Innermost: each attempt has a time of its own.
    timeoutStage(timeoutMs, clock),
  ];
}
