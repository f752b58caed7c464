/** The shape of a meta-tool and what it may reach. One file per meta-tool; `index.ts` is the table. */
import type { Catalog } from "../catalog/catalog.ts";
import type { Answer } from "../core/answer.ts";
import type { Caller } from "../core/caller.ts";
import type { UpstreamKind, UpstreamStatus } from "../core/upstream.ts";
import type { JsonObject } from "../lib/json.ts";

/** A backend as the meta-tools see it. */
export interface ServerView {
  readonly name: string;
  readonly description: string;
  readonly kind: UpstreamKind;
  readonly enabled: boolean;
  readonly status: UpstreamStatus;
  readonly circuit: "closed" | "open" | "half_open";
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
  /** Calls a tool through the whole pipeline, bound to the request that runs this meta-tool (signal, progress, session). */
  callTool(server: string, tool: string, args: JsonObject): Promise<Answer>;
  readonly resultFormat: "native" | "wrapped";
}

export interface MetaTool {
  readonly name: string;
  /** The tool object of `tools/list`; counts and domains are of what this caller may see. */
  describe(context: MetaContext): JsonObject;
  /** A `CallToolResult`. Throws `GatewayError`s; the face turns them into `isError` results. */
  run(args: JsonObject, context: MetaContext): Promise<Answer>;
}
