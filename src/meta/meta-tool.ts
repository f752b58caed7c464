/** The shape of a meta-tool and what it may reach. One file per meta-tool; `index.ts` is the table. */
import type { Catalog } from "../catalog/catalog.ts";
import type { Answer } from "../core/answer.ts";
import type { Caller } from "../core/caller.ts";
import type { ConfigError } from "../core/errors.ts";
import type { Act } from "../core/security-event.ts";
import type { UpstreamKind, UpstreamStatus } from "../core/upstream.ts";
import type { CancelSignal } from "../lib/cancellation.ts";
import type { Clock } from "../lib/clock.ts";
import type { Json, JsonObject } from "../lib/json.ts";
import type { SkillSource } from "../skills/served-skills.ts";
import type { CodeModeSettings } from "./code-mode/schema.ts";
import type { PlaybookSource } from "./playbooks/playbook.ts";
import type { PlaybooksSettings } from "./playbooks/schema.ts";
import type { RoutingProfiles } from "./routing/routing-profiles.ts";
import type { ToolViews } from "./states/tool-views.ts";

/** A backend as the meta-tools see it. */
export interface ServerView {
  readonly name: string;
  readonly description: string;
  readonly kind: UpstreamKind;
  readonly enabled: boolean;
  readonly status: UpstreamStatus;
  readonly circuit: "closed" | "open" | "half_open";
  /** Switched off by an operator or by its error budget: it is listed, and its calls are refused. */
  readonly killed?: boolean;
  /** What its program runs in: `local_process`, `docker` …; absent where it is none of ours. */
  readonly runtime?: string | undefined;
}

export interface MetaContext {
  readonly caller: Caller;
  readonly catalog: Catalog;
  /** Every configured backend in configuration order, those the caller may not use included: check `mayUseServer`. */
  servers(): readonly ServerView[];
  /** The configured name a server argument means (aliases such as `capabilities` resolved); `undefined` when unknown. */
  resolveServer(name: string): string | undefined;
  /**
   * Asks the backend for its tools when they are not known yet, or with `again` in any case, waking it. Rejects with
   * the start error.
   */
  ensureTools(server: string, again?: boolean): Promise<void>;
  /** Asks for the tools when they are not known yet; never rejects, and gives up waiting, not asking, after a few seconds. */
  toolsSoon(server: string): Promise<void>;
  /**
   * Calls a tool through the whole pipeline, bound to the request that runs this meta-tool (signal, progress, session).
   * With a `signal`, which ends the call earlier, it is one of several calls: what its server says of its progress is not
   * relayed, because the client would see it begin anew with each; see {@link report}.
   */
  callTool(server: string, tool: string, args: JsonObject, options?: ToolCallOptions): Promise<Answer>;
  /** Asks the person at the client; true as well where the client asks nobody. */
  confirm(message: string): Promise<boolean>;
  /** Tells a client that asked for progress how many steps of how many are done. */
  report(done: number, total: number | undefined, message: string): void;
  readonly resultFormat: "native" | "wrapped";
  /** Aborted when nobody waits for the answer any more. */
  readonly signal: CancelSignal;
  readonly clock: Clock;
  readonly settings: MetaSettings;
  readonly profiles: RoutingProfiles;
  readonly views: ToolViews;
  /** Imported skills. */
  readonly skills: SkillSource;
  /** The session, where the request has one. */
  readonly session: MetaSession | undefined;
  readonly usage: ToolUsage;
  readonly actions: OperatorActions;
}

export interface ToolCallOptions {
  /** For the `_meta` of the call, beside what the client's own request has there. */
  readonly meta?: JsonObject | undefined;
  readonly signal?: CancelSignal | undefined;
  /** Calls with the same one are made once, 1 to 256 characters. */
  readonly idempotencyKey?: string | undefined;
  /** In place of what the client's own request has in `_meta`. */
  readonly nonce?: string | undefined;
  /** As {@link Call.claim}. */
  readonly claim?: Json | undefined;
  /** As in {@link Call}. */
  readonly namesNext?: boolean | undefined;
}

/** The sections in force that the meta-tools read. */
export interface MetaSettings {
  readonly codeMode: CodeModeSettings;
  readonly playbooks: PlaybooksSettings;
  /** Characters of a result beyond which it is cut; `undefined` never cuts. */
  readonly maxResultSize: number | undefined;
}

export interface MetaSession {
  readonly id: string;
  /** As {@link Session.profile}. */
  readonly profile: string | undefined;
  /** From the next request on; tells the client that its lists changed where they did. */
  setProfile(name: string): void;
  /** As {@link Session.state}. */
  readonly state: string;
  /** As {@link setProfile}; the caller as he is in that state. */
  setState(state: string): Caller;
  /** JSON text of a whole result whose answer was cut. @throws GatewayError RESOURCE_NOT_FOUND */
  keptResult(id: string): Promise<string>;
}

/** What is known of how often tools were called with success. */
export interface ToolUsage {
  /** Resolves when something is known; brings it up to date from time to time. Never rejects. */
  ready(): Promise<void>;
  /** As of about a minute ago; 0 before {@link ready}. */
  successes(server: string, tool: string): number;
  /** What earlier runs called most, most first: the same as long as this run lasts, so that lists do not change by it. */
  most(): readonly { readonly server: string; readonly tool: string }[];
}

export interface ToolCalls {
  readonly server: string;
  readonly tool: string;
  readonly count: number;
  readonly failed: number;
  readonly cached: number;
}

/** What the gateway does for its operator. */
export interface OperatorActions {
  /** Tool calls since the gateway started, most called first. */
  calls(): readonly ToolCalls[];
  /** Every playbook file as it is now, by path; one that cannot be read is the error. */
  readPlaybooks(): Promise<ReadonlyMap<string, PlaybookSource | ConfigError>>;
  /** Reads the configuration file now. @throws GatewayError CONFIG_INVALID, which leaves the one in force in place */
  reloadConfig(): Promise<JsonObject>;
  /** Reads every capability file anew; the name of the capability backend. @throws GatewayError SERVER_NOT_FOUND when it is off */
  reloadCapabilities(): Promise<string>;
  /** Refuses every call to the server from now on. @throws DeniedError SERVER_NOT_FOUND */
  kill(server: string, act: Act): { readonly was_already_killed: boolean };
  /** Lets it be called again, its failures forgiven and its circuit closed. @throws DeniedError SERVER_NOT_FOUND */
  revive(server: string, act: Act): { readonly was_killed: boolean; readonly breaker_was_open: boolean };
  /** Of every server, whether it is switched off and how its calls went lately. */
  safety(): readonly ServerSafety[];
  /** Tools that are left alone for a while because most of their calls failed. */
  restingTools(): readonly RestingTool[];
  /** What calls cost, and what is left of the budgets. */
  costs(): Promise<JsonObject>;
  /** Every webhook of the capabilities, once their files are read. */
  webhooks(): Promise<readonly WebhookView[]>;
}

/** A webhook and what came of it since the gateway started. */
export interface WebhookView {
  /** Backend of its capability. */
  readonly server: string;
  /** Of the address that services send to. */
  readonly path: string;
  readonly method: string;
  readonly capability: string;
  readonly webhook_name: string;
  readonly signature_required: boolean;
  readonly notify: boolean;
  readonly stats: {
    readonly received: number;
    readonly delivered: number;
    readonly repeated: number;
    readonly signature_failures: number;
    readonly transform_failures: number;
    /** ISO 8601. */
    readonly last_received_at: string | null;
  };
}

export interface ServerSafety {
  readonly server: string;
  /** By an operator, or because its error budget is used up. */
  readonly killed: boolean;
  /** In [0, 1]. */
  readonly error_rate: number;
  readonly window: { readonly successes: number; readonly failures: number };
}

export interface RestingTool {
  readonly backend: string;
  readonly capability: string;
  readonly error_rate: number;
  /** Until it is tried again; `null` when only reviving its backend helps. */
  readonly cooldown_seconds: number | null;
}

export interface MetaTool {
  readonly name: string;
  /** Whether its result is that of backends, which may be of any length. */
  readonly carriesResults?: boolean;
  /** The tool object of `tools/list`; counts and domains are of what this caller may see. */
  describe(context: MetaContext): JsonObject;
  /** A `CallToolResult`. Throws `GatewayError`s; the face turns them into `isError` results. */
  run(args: JsonObject, context: MetaContext): Promise<Answer>;
}
