/** What the policies need besides their settings: what they remember, and where they report. One for all configurations. */

import type { Catalog } from "../catalog/catalog.ts";
import type { Config } from "../config/schema.ts";
import { shownToolName } from "../core/call-record.ts";
import type { Logger } from "../core/log.ts";
import type { Tracer } from "../core/tracing.ts";
import type { Clock } from "../lib/clock.ts";
import type { Environment } from "../runtime/process.ts";
import type { CostBook } from "../stages/cost/cost-stage.ts";
import type { CostReport } from "../stages/cost/report.ts";
import type { FirewallSink } from "../stages/firewall/finding.ts";
import type { Trip } from "../stages/kill-switch/kill-switch.ts";
import type { ToolGate } from "../stages/quarantine/quarantine-stage.ts";
import type { CallSink } from "../stages/record/record-stage.ts";
import { SessionUsage } from "../stages/session-sandbox/session-usage.ts";
import { type ClientCircuits, createClientCircuits } from "./client-circuits.ts";
import { type ControlPlane, createControlPlane } from "./control-plane.ts";
import { createCosts } from "./costs.ts";
import { createIdentities, type Identities, identityKeysFile } from "./identities.ts";
import { createKeptAnswers, type KeptAnswers } from "./kept-answers.ts";
import { createSecurityRecord } from "./security-record.ts";
import { createSessionPaths, type SessionPaths } from "./session-paths.ts";
import type { Sharing } from "./sharing.ts";
import { createStatements, type Statements } from "./statements.ts";
import { createToolIntegrity, type ToolIntegrity } from "./tool-integrity.ts";
import { createTracing, type Tracing } from "./tracing.ts";

/** For the stages in front of each backend. */
export interface PolicyContext {
  readonly onFindings: FirewallSink;
  readonly costBook: CostBook;
  readonly sessionUsage: SessionUsage;
  readonly sessionPaths: SessionPaths;
  readonly kept: KeptAnswers;
  /** `security.trust_configured_backends` */
  trustsBackends(): boolean;
  /** What backends are told of callers. */
  readonly identities: Identities;
  readonly statements: Statements;
  tracer(): Tracer | undefined;
  gateOf(name: string): ToolGate;
  isAuditFailing(): boolean;
  /** An error budget is used up. */
  onTrip(server: string, trip: Trip): void;
}

export interface Policies {
  readonly context: PolicyContext;
  /** For the record of calls, where it is wanted. */
  readonly onCall: CallSink;
  readonly integrity: ToolIntegrity;
  readonly clientCircuits: ClientCircuits;
  readonly controlPlane: ControlPlane;
  /** What of the tools a server lists clients may see, and how. */
  readonly admit: ToolIntegrity["admit"];
  /** As {@link FaceHost.objections}. */
  objections(server: string, tool: string): Promise<readonly string[]>;
  readonly tracing: Tracing;
  costs(): Promise<CostReport>;
  /** What is remembered of a session that has ended. */
  forgetSession(sessionId: string): void;
  /** Resolves when everything that was reported is on the disk, or could not be written. */
  flush(): Promise<void>;
}

export interface PoliciesOptions {
  readonly config: () => Config;
  readonly catalog: Catalog;
  readonly log: Logger;
  readonly clock: Clock;
  readonly stateDirectory: string | undefined;
  readonly sharing: Sharing;
  readonly env: Environment;
  redact(text: string): string;
  /** Whether the tools of a backend are pinned: those of capabilities are the operator's own files. */
  isPinned(server: string): boolean;
  /** A tool was approved: what is listed may be more now. */
  onFreed(server: string): void;
  noteProblem(what: string, consequence: string): (error: unknown) => void;
}

export function createPolicies(options: PoliciesOptions): Policies {
  const { config, catalog, log, clock, stateDirectory, env, sharing, noteProblem } = options;
  const inState = (name: string) => (stateDirectory === undefined ? undefined : `${stateDirectory}/${name}`);
  const record = createSecurityRecord(options);
  const controlPlane = createControlPlane({ ...options, journalPath: inState("control-plane.jsonl") });
  const integrity = createToolIntegrity({
    settings: () => config().security.tool_integrity,
    ownerOf: (server) => (options.isPinned(server) ? catalog.servers.find(({ name }) => name === server) : undefined),
    catalog,
    log,
    clock,
    directory: inState("pins"),
    onProblem: noteProblem("Pins of tool definitions", "a change while the gateway is down may go unseen"),
    onFreed: options.onFreed,
    onVerdict: controlPlane.note,
  });
  const costs = createCosts({
    path: inState("costs.json"),
    clock,
    log,
    sharing,
    now: Date.now,
    onProblem: noteProblem("Costs", "what is spent now may be forgotten by a restart"),
  });
  const kept = createKeptAnswers({
    path: inState("idempotency.jsonl"),
    clock,
    sharing,
    isCaching: () => config().cache?.enabled === true,
    onProblem: noteProblem("Idempotency keys", "a restart may forget which calls were made"),
  });
  const sessionUsage = new SessionUsage(clock);
  const sessionPaths = createSessionPaths({
    path: inState("tool-steps.json"),
    clock,
    catalog,
    onProblem: noteProblem("Steps from tool to tool", "what sessions do usually is forgotten with this process"),
  });
  const tracing = createTracing(env, noteProblem("Traces", "spans are lost"));
  tracing.configure(config().tracing);
  return {
    context: {
      kept,
      trustsBackends: () => config().security.trust_configured_backends,
      identities: createIdentities({
        config,
        clock,
        redact: options.redact,
        keyPath: inState(identityKeysFile),
        onProblem: noteProblem("Keys for identities", "servers learn new ones after a restart"),
      }),
      statements: createStatements(options),
      tracer: tracing.current,
      onFindings(report) {
        record.onFindings(report);
        controlPlane.onFindings(report);
      },
      costBook: costs.book,
      sessionUsage,
      sessionPaths,
      gateOf: integrity.gate,
      isAuditFailing: record.isFailing,
      onTrip(server, { tool, errorRate }) {
        const what = tool === undefined ? "a server fail: it is switched off" : "a tool fail: it is left alone";
        const error_rate = Math.round(errorRate * 100) / 100;
        log.warn(`Most calls of ${what}`, { server, tool: shownToolName(tool), error_rate });
        const detail = `${Math.round(errorRate * 100)} % of its calls failed`;
        controlPlane.note({ action: "error-budget-used-up", server, tool: shownToolName(tool), detail });
      },
    },
    onCall(...call) {
      record.onCall(...call);
      controlPlane.onCall(...call);
    },
    integrity,
    controlPlane,
    clientCircuits: createClientCircuits(clock, () => config().auth.client_circuit_breaker),
    async admit(server, tools, deviations) {
      // Judged as the server wrote them.
      const admitted = await integrity.admit(server, tools, deviations);
      const secrets = config().backends[server]?.secrets ?? [];
      if (secrets.length === 0) return admitted;
      return (await import("../stages/secrets/conceal.ts")).concealSecrets(admitted, secrets);
    },
    async objections(server, tool) {
      const { toolPolicy } = await import("../stages/tool-policy/tool-policy-stage.ts");
      const denied = toolPolicy(config().security.tool_policy)?.(server, tool);
      const held = await integrity.whyHeld(server, tool);
      return [denied, held && `is quarantined: ${held}`].filter((why) => why !== undefined);
    },
    tracing,
    costs: () => costs.report(config().cost_governance),
    forgetSession(sessionId) {
      sessionUsage.forget(sessionId);
      sessionPaths.forget(sessionId);
    },
    async flush() {
      await Promise.all([
        record.flush(),
        controlPlane.flush(),
        costs.flush(),
        integrity.flush(),
        kept.flush(),
        sessionPaths.flush(),
        tracing.close(),
      ]);
    },
  };
}
