/** What a meta-tool may reach, bound to the client request that runs it. */
import type { Answer } from "../core/answer.ts";
import type { Caller } from "../core/caller.ts";
import { GatewayError } from "../core/errors.ts";
import { type CancelSignal, neverCancelled } from "../lib/cancellation.ts";
import type { JsonObject } from "../lib/json.ts";
import { listKinds } from "../mcp/protocol.ts";
import type { MetaContext, MetaSession, ServerView, ToolCallOptions } from "../meta/meta-tool.ts";
import { announceProfile } from "./fan-out.ts";
import type { FaceHost } from "./host.ts";
import { narrowedCaller } from "./narrowed-caller.ts";
import type { RequestScope } from "./request-scope.ts";

/** For descriptions and instructions, which call nothing. Classes, because every call by a meta-tool makes one. */
export class DescribingContext implements MetaContext {
  readonly host: FaceHost;
  readonly caller: Caller;

  constructor(host: FaceHost, caller: Caller) {
    this.host = host;
    this.caller = caller;
  }

  get catalog() {
    return this.host.catalog;
  }
  get resultFormat() {
    return this.host.meta.result_format;
  }
  get clock() {
    return this.host.clock;
  }
  get settings() {
    return this.host.sections;
  }
  get profiles() {
    return this.host.profiles;
  }
  get views() {
    return this.host.views;
  }
  get skills() {
    return this.host.skills;
  }
  get usage() {
    return this.host.usage;
  }
  get actions() {
    return this.host.actions;
  }
  get signal(): CancelSignal {
    return neverCancelled;
  }
  get session(): MetaSession | undefined {
    return undefined;
  }

  servers(): readonly ServerView[] {
    return this.host.servers();
  }

  resolveServer(name: string): string | undefined {
    return this.host.resolveServer(name);
  }

  ensureTools(server: string, again?: boolean): Promise<void> {
    return this.host.ensureListed(server, "tools", again);
  }

  toolsSoon(server: string): Promise<void> {
    return this.host.listedSoon(server, "tools");
  }

  callTool(_server: string, _tool: string, _args: JsonObject, _options?: ToolCallOptions): Promise<Answer> {
    return Promise.reject(new GatewayError("INTERNAL", "A description tried to call a tool"));
  }

  confirm(_message: string): Promise<boolean> {
    return Promise.resolve(true);
  }

  report(_done: number, _total: number | undefined, _message: string): void {}
}

export class RequestContext extends DescribingContext {
  readonly #request: RequestScope;
  #session: MetaSession | undefined;

  constructor(request: RequestScope) {
    super(request.host, request.caller);
    this.#request = request;
  }

  override get signal(): CancelSignal {
    return this.#request.signal;
  }

  override get session(): MetaSession | undefined {
    this.#session ??= sessionOf(this.#request);
    return this.#session;
  }

  override callTool(server: string, tool: string, args: JsonObject, options: ToolCallOptions = {}): Promise<Answer> {
    return this.#request.callTool(server, tool, args, continuationOf(this.#request), options);
  }

  override confirm(message: string): Promise<boolean> {
    return this.#request.confirm(message);
  }

  override report(progress: number, total: number | undefined, message: string): void {
    this.#request.progress({ progress, ...(total !== undefined && { total }), message });
  }
}

/** What the client adds when it goes on with a call that needed its input (2026-07-28); the server asked for it. */
function continuationOf({ params, context }: RequestScope): JsonObject | undefined {
  if (context.modern === undefined) return undefined;
  const { inputResponses, requestState } = params;
  return {
    ...(inputResponses === undefined ? {} : { inputResponses }),
    ...(requestState === undefined ? {} : { requestState }),
  };
}

function sessionOf({ host, context }: RequestScope): MetaSession | undefined {
  const { session } = context;
  if (session === undefined) return undefined;
  return {
    id: session.id,
    profile: session.profile,
    keptResult: async (id) => (await import("./kept-results.ts")).keptResult(session, id),
    setProfile(name) {
      const before = host.profiles.nameFor(context.caller, session.profile);
      session.profile = name;
      host.sessions.save(session);
      if (host.profiles.nameFor(context.caller, name) !== before) announceProfile(host, session, context.caller);
    },
    state: session.state,
    setState(state) {
      const before = session.state;
      session.state = state;
      host.sessions.save(session);
      if (host.views.differ(before, state)) session.notify(listKinds.tools.changed, undefined);
      return narrowedCaller(host, context.caller, session);
    },
  };
}
