/** The list of policies every call walks through. A new policy is a folder, a state if it needs one, and one line here. */
import type { Call, Stage } from "../core/call.ts";
import type { SharedLimits } from "../core/shared-limits.ts";
import type { Tracer } from "../core/tracing.ts";
import type { Upstream } from "../core/upstream.ts";
import { accountStage } from "./account/account-stage.ts";
import { argumentsStage } from "./arguments/arguments-stage.ts";
import { auditStage } from "./audit/audit-stage.ts";
import { breakerStage } from "./breaker/breaker-stage.ts";
import type { AnswerCache } from "./cache/answer-cache.ts";
import { cacheStage } from "./cache/cache-stage.ts";
import type { CacheSettings } from "./cache/schema.ts";
import { concurrencyStage } from "./concurrency/concurrency-stage.ts";
import { contextIntegrityStage } from "./context-integrity/context-integrity-stage.ts";
import { type CostBook, costStage } from "./cost/cost-stage.ts";
import type { CostGovernanceSettings } from "./cost/schema.ts";
import type { FirewallSink } from "./firewall/finding.ts";
import { firewallRequestStage } from "./firewall/firewall-request-stage.ts";
import { firewallResponseStage } from "./firewall/firewall-response-stage.ts";
import { firewallStepStage, type StepJudge } from "./firewall/firewall-step-stage.ts";
import { resultScopes } from "./firewall/result-scope.ts";
import { type IdempotencyBook, idempotencyStage } from "./idempotency/idempotency-stage.ts";
import { type IdentityBroker, identityStage } from "./identity/identity-stage.ts";
import { killSwitchStage } from "./kill-switch/kill-switch-stage.ts";
import { provenanceStage, type Receipt } from "./provenance/provenance-stage.ts";
import { quarantineStage, type ToolGate } from "./quarantine/quarantine-stage.ts";
import { rateLimitStage } from "./rate-limit/rate-limit-stage.ts";
import type { CallsUnderWay } from "./record/calls-under-way.ts";
import { type CallSink, recordStage } from "./record/record-stage.ts";
import { responseContractStage } from "./response-contract/response-contract-stage.ts";
import { retryStage } from "./retry/retry-stage.ts";
import type { FailsafeSettings, SecurityStageSettings } from "./schema.ts";
import { scopeStage } from "./scope/scope-stage.ts";
import type { InjectedSecret } from "./secrets/schema.ts";
import { secretsStage } from "./secrets/secrets-stage.ts";
import { sessionSandboxStage } from "./session-sandbox/session-sandbox-stage.ts";
import type { SessionUsage } from "./session-sandbox/session-usage.ts";
import { type Signer, signatureStage } from "./signature/signature-stage.ts";
import { type PredictNext, type Steps, stepsStage } from "./steps/steps-stage.ts";
import { timeoutStage } from "./timeout/timeout-stage.ts";
import { toolPolicyStage } from "./tool-policy/tool-policy-stage.ts";
import { traceStage } from "./trace/trace-stage.ts";
import type { UpstreamStageState } from "./upstream-stage-state.ts";
import { wakeStage } from "./wake/wake-stage.ts";

export interface StageOptions {
  readonly upstream: Pick<Upstream, "isReady" | "start" | "group">;
  /** The `failsafe` settings in force for this backend, its overrides included. */
  readonly settings: FailsafeSettings;
  /** The backend's `timeout`: the time of one attempt. */
  readonly timeoutMs: number;
  readonly state: UpstreamStageState;
  /** Whether the call would be made with a login of the gateway's owner that is not for every caller. */
  readonly isPersonal?: ((call: Call) => boolean) | undefined;
  /** Told how every call ended; no observer, no stage. */
  readonly sink?: CallSink | undefined;
  /** Has each call in it while it runs. */
  readonly underWay?: CallsUnderWay | undefined;
  /** Whether the record of calls cannot be written; only where calls must not go without. */
  readonly isAuditFailing?: (() => boolean) | undefined;
  /** Left out, none of these policies is on. */
  readonly security?: SecurityStageSettings | undefined;
  /** Told what the firewall found. */
  readonly onFindings?: FirewallSink | undefined;
  /** Of all sessions; left out, none is followed. */
  readonly steps?: Steps | undefined;
  /** Left out, no step is unusual. */
  readonly judgeStep?: StepJudge | undefined;
  /** Left out, no answer names what comes next. */
  readonly predictNext?: PredictNext | undefined;
  /** Of all sessions, for `security.session_sandbox`. */
  readonly sessionUsage?: SessionUsage | undefined;
  /** Left out, calls cost nothing. */
  readonly costs?: { readonly settings: CostGovernanceSettings; readonly book: CostBook } | undefined;
  /** Left out, calls have no spans. */
  readonly tracer?: (() => Tracer | undefined) | undefined;
  /** Left out, idempotency keys mean nothing. */
  readonly idempotency?: IdempotencyBook | undefined;
  /** Left out, or without settings, no answer is kept. */
  readonly cache?: { readonly settings: CacheSettings | undefined; readonly store: AnswerCache } | undefined;
  /** Of all gateways that share them; left out, this one counts alone. */
  readonly limits?: SharedLimits | undefined;
  /** What is known of the definitions of the backend's tools; left out, none is held. */
  readonly gate?: ToolGate | undefined;
  /** Left out, no result is signed. */
  readonly signer?: Signer | undefined;
  /** Left out, no result has one. */
  readonly receipt?: Receipt | undefined;
  /** Secrets the backend's tools are called with. */
  readonly secrets?: readonly InjectedSecret[] | undefined;
  /** Makes what the backend is told of callers; left out, it is told nothing. */
  readonly identity?: IdentityBroker | undefined;
}

/** For `chain` of core/call.ts, outermost first, once per backend and configuration; `undefined` is a policy that is off. */
export function stagesFor(options: StageOptions): (Stage | undefined)[] {
  const {
    upstream,
    settings,
    timeoutMs,
    state,
    isPersonal,
    sink,
    underWay,
    security,
    onFindings,
    gate,
    isAuditFailing,
    costs,
    sessionUsage,
    steps,
    judgeStep,
    predictNext,
    idempotency,
    cache,
    limits,
    tracer,
    secrets,
    identity,
    signer,
    receipt,
  } = options;
  const { clock } = state;
  return [
    // Outermost: what the others refuse is recorded too.
    recordStage(sink, clock, underWay),
    // Around everything else: a span has in it what the others do, and record the call as it came.
    traceStage(tracer),
    // Before anything happens that would not be on record.
    auditStage(isAuditFailing),
    // Before everything that decides about single calls: what is switched off is off for all.
    killSwitchStage(state.killSwitch),
    // Before anything that looks at the content or costs the backend something: strangers learn and use nothing.
    scopeStage,
    // With scope: what nobody may call is not looked at either.
    security && toolPolicyStage(security.tool_policy),
    // With them: limits of the session, which a refused call does not use up.
    security && sessionSandboxStage(security.session_sandbox, sessionUsage),
    // Above whatever keeps answers, each is signed anew; above what cleans arguments, for what the client sent. Refused by
    // those before, a call uses up no nonce.
    security && signatureStage(security.message_signing, signer),
    // Below it: the receipt is signed too.
    provenanceStage(receipt),
    // Before the firewall: what is judged is what the server gets.
    argumentsStage(security?.sanitize_input ?? false),
    // Before any key is derived from the arguments, and before they take anybody's place or time.
    security && firewallRequestStage(security.firewall, onFindings),
    // With it, and behind: what it has refused already is reported once.
    security && firewallStepStage(security.firewall, judgeStep, onFindings),
    // Below the firewall: what it refuses is no step of the session, and teaches nothing. Above whatever keeps answers: one
    // that was kept is a step too, and what comes next is told anew. Below what signs: that is signed with the rest.
    stepsStage(steps, predictNext),
    // Above the cache: a key stands for one call, whatever was asked before.
    idempotencyStage(idempotency),
    // Before what counts and pays: what is at hand costs the backend nothing.
    cacheStage(cache?.settings, cache?.store),
    // Before a place is taken: what is not paid for does not wait.
    costs && costStage(costs.settings, costs.book),
    // Around retry: a call that is being repeated still occupies the backend.
    concurrencyStage(settings.concurrency, state.concurrency, clock),
    // Below whatever keeps answers, and around the firewall: what it takes out breaks no contract.
    security && responseContractStage(security.response_contract),
    // Below whatever keeps answers, and around the firewall, which has looked for most of it.
    security?.context_integrity &&
      contextIntegrityStage(security.context_integrity, {
        scopeOf: resultScopes(security.firewall, security.response_inspection).of,
        loadScanner: () => import("./firewall/scan-response.ts"),
        onFindings,
      }),
    // Around retry: once per answer. Below whatever keeps answers, so that none is kept unredacted.
    security && firewallResponseStage(security.firewall, onFindings, security.response_inspection),
    // Around the three below: they see attempts.
    retryStage(settings.retry, state.retryBudget, clock, state.random),
    // Before the breaker: a refused attempt must not take the breaker's only probe.
    rateLimitStage(settings.rate_limit, state.rateLimit, limits),
    // Around timeout: an attempt that took too long is a failure.
    breakerStage(settings.circuit_breaker, state.breaker, upstream),
    // Before timeout: a start has a time limit of its own; below the breaker: a failed start is a failure.
    wakeStage(upstream),
    // Below wake: whether a login was needed is known once the server is connected.
    accountStage(isPersonal),
    // Below wake: what a server that has just started says of its tools is known by then.
    quarantineStage(gate),
    // Around the upstream and what is done with the call for it alone: each attempt has a time of its own.
    timeoutStage(timeoutMs, clock),
    // Innermost, both: whatever keeps, shows or derives something from a call or an answer has none of its secrets.
    secretsStage(secrets),
    // Below secrets: what says who calls is not to be replaced. Below retry: each attempt has it fresh.
    identityStage(identity),
  ];
}
