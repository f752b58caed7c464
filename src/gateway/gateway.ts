/** The composed gateway as doors and commands see it. */
import type { Catalog } from "../catalog/catalog.ts";
import type { Approval, HeldTool } from "../catalog/integrity/definition-guard.ts";
import type { Face } from "../clients/face.ts";
import type { ModernFace } from "../clients/modern/modern-face.ts";
import type { SessionTable } from "../clients/session.ts";
import type { Config } from "../config/schema.ts";
import type { Answer } from "../core/answer.ts";
import type { Call } from "../core/call.ts";
import type { Logger } from "../core/log.ts";
import type { Act } from "../core/security-event.ts";
import type { SharedLimits } from "../core/shared-limits.ts";
import type { ServerView } from "../meta/meta-tool.ts";
import type { ToolViews } from "../meta/states/tool-views.ts";
import type { Environment } from "../runtime/process.ts";
import type { CostReport } from "../stages/cost/report.ts";
import type { ClientCircuits } from "./client-circuits.ts";
import type { ControlPlane } from "./control-plane.ts";
import type { Identities } from "./identities.ts";
import type { KillSwitchPanel } from "./kill-switch-panel.ts";
import type { Operation } from "./operation.ts";
import type { Webhooks } from "./webhooks.ts";

export interface ReloadOutcome {
  /** `no changes detected`, or parts joined by `; ` such as `added backends: [a, b]`. */
  readonly changes: string;
  readonly restart_required: boolean;
  readonly restart_reason?: "server_address_changed";
}

export interface Gateway {
  /** The configuration in force; read it per request, a reload replaces it. */
  readonly config: Config;
  readonly log: Logger;
  readonly face: Face;
  /** The face of 2026-07-28, loaded when the first such client comes. */
  modernFace(): Promise<ModernFace>;
  readonly sessions: SessionTable;
  readonly catalog: Catalog;
  readonly views: ToolViews;
  readonly startedAt: Date;
  /** True from the first signal on: readiness is false, new sessions and calls are refused with SHUTTING_DOWN. */
  readonly draining: boolean;
  /** Why the newest configuration file is not in force; `undefined` while it is. */
  readonly configError: string | undefined;
  /** What the gateway does worse than it should, e.g. `state directory is not writable`; empty when all is well. */
  readonly degraded: readonly string[];
  /** The one way to an upstream: walks through every stage. */
  call(call: Call): Promise<Answer>;
  /** Every configured backend in configuration order. */
  servers(): readonly ServerView[];
  readonly killSwitches: KillSwitchPanel;
  /** Limits that are counted over all gateways; `undefined` while this one is alone. */
  readonly sharedLimits?: Promise<SharedLimits> | undefined;
  /** Of `auth.client_circuit_breaker`. */
  readonly clientCircuits: ClientCircuits;
  /** What was spent today and lately, and what is left of the budgets of `cost_governance`. */
  costs(): Promise<CostReport>;
  /** Tools that are refused until an operator approves them, of servers that were asked since the start. */
  heldTools(): Promise<readonly HeldTool[]>;
  /** Lets a held tool be called with the definition of this digest, if that is still the one that is held. */
  approveTool(server: string, tool: string, digest: string, act: Act): Promise<Approval>;
  /** JSON Web Key Set of what the gateway says of callers: public halves; empty where it says nothing. */
  publicKeys: Identities["publicKeys"];
  /** Backends that let nobody in until a user logs in there. */
  readonly waitingForLogin: ReadonlySet<string>;
  /** What happened to security, for whoever is to know of it. */
  readonly controlPlane: Pick<ControlPlane, "note" | "journal" | "exported">;
  /** Calls running now. */
  readonly inFlight: number;
  readonly operation: Operation;
  readonly webhooks: Webhooks;
  /**
   * Builds what the new configuration needs, swaps, then closes what is gone. Rejects and changes nothing when it
   * cannot. `env` is what `{env.X}` in capabilities means from now on.
   */
  reload(next: Config, env: Environment): Promise<ReloadOutcome>;
  /** Stops taking calls, lets running ones finish within `shutdown_timeout`, then stops every backend. */
  drain(): Promise<void>;
  /** Stops at once; resolves when no child is left. */
  close(): Promise<void>;
}
