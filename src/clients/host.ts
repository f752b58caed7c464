/** What the face needs of the gateway; the composition root hands it in, so that this room stays below it. */
import type { Catalog } from "../catalog/catalog.ts";
import type { Answer } from "../core/answer.ts";
import type { Call } from "../core/call.ts";
import type { Logger } from "../core/log.ts";
import type { Tracer } from "../core/tracing.ts";
import type { ServerDescription } from "../core/upstream.ts";
import type { Clock } from "../lib/clock.ts";
import type { RpcRequestMessage } from "../mcp/json-rpc.ts";
import type { ListKind } from "../mcp/protocol.ts";
import type { MetaSettings, OperatorActions, ServerView, ToolUsage } from "../meta/meta-tool.ts";
import type { RoutingProfiles } from "../meta/routing/routing-profiles.ts";
import type { MetaMcpSettings } from "../meta/schema.ts";
import type { ToolViews } from "../meta/states/tool-views.ts";
import type { SkillSource } from "../skills/served-skills.ts";
import type { FaceContext } from "./face.ts";
import type { Listening } from "./listening.ts";
import type { SessionTable } from "./session.ts";
import type { Subscriptions, Watched } from "./subscriptions.ts";

/**
 * Told of every request that was answered, on its path: it must be quick and may not throw.
 * @param result JSON text; `undefined` when the answer was an error
 * @param failure what went wrong, also where the answer is a result that says so; `undefined` when nothing did
 */
export type AnswerSink = (
  message: RpcRequestMessage,
  context: Pick<FaceContext, "backend" | "caller">,
  result: string | undefined,
  tookMs: number,
  failure: unknown,
) => void;

export interface FaceHost {
  readonly catalog: Catalog;
  readonly sessions: SessionTable;
  readonly subscriptions: Subscriptions;
  readonly listenings: Set<Listening>;
  /** Tells the backend that nobody watches the resource any more. */
  unwatch(watched: Watched): void;
  readonly log: Logger;
  readonly clock: Clock;
  /** The `meta_mcp` section in force now. */
  readonly meta: MetaMcpSettings;
  /** Other sections that the meta-tools read. */
  readonly sections: MetaSettings;
  readonly actions: OperatorActions;
  readonly usage: ToolUsage;
  readonly profiles: RoutingProfiles;
  readonly views: ToolViews;
  /** Imported skills, for every caller of `/mcp`. */
  readonly skills: SkillSource;
  /** Longest time one request may take, in milliseconds. */
  readonly requestTimeoutMs: number;
  readonly draining: boolean;
  servers(): readonly ServerView[];
  /** Aliases of the capability backend resolved; `undefined` when no backend of that name is configured. */
  resolveServer(name: string): string | undefined;
  /** From the last connection of the backend, `undefined` before the first. */
  describe(server: string): ServerDescription | undefined;
  call(call: Call): Promise<Answer>;
  /** Why calls to the tool are refused whoever makes them, by what the gateway decides of its tools; empty when they are not. */
  objections(server: string, tool: string): Promise<readonly string[]>;
  /** Asks the backend for the list when it was never seen, or with `again` in any case, waking it. Rejects with why it could not. */
  ensureListed(server: string, kind: ListKind, again?: boolean): Promise<void>;
  /** As {@link ensureListed}, but never rejects and gives up waiting, not asking, after a few seconds. */
  listedSoon(server: string, kind: ListKind): Promise<void>;
  /** Asks again for the list of a running backend that is older than `meta_mcp.cache_ttl`, in the background. */
  refreshIfStale(server: string, kind: ListKind): void;
  /** Of `tracing`, while it is in force. */
  readonly tracer?: Tracer | undefined;
  readonly onAnswer?: AnswerSink | undefined;
  /** Told of every session that is shown the meta-tools. */
  readonly onSession?: (() => void) | undefined;
  /** Tells every backend that logs the most verbose level any session wants. */
  applyLogLevels(): void;
}
