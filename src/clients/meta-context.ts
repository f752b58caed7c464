/** What a meta-tool may reach, bound to the client request that runs it. */
import type { Caller } from "../core/caller.ts";
import { GatewayError } from "../core/errors.ts";
import { neverCancelled } from "../lib/cancellation.ts";
import type { JsonObject } from "../lib/json.ts";
import { listKinds } from "../mcp/protocol.ts";
import type { MetaContext, MetaSession } from "../meta/meta-tool.ts";
import { announceProfile } from "./fan-out.ts";
import type { FaceHost } from "./host.ts";
import { narrowedCaller } from "./narrowed-caller.ts";
import type { RequestScope } from "./request-scope.ts";

export function metaContext(request: RequestScope): MetaContext {
  return {
    ...metaContextFor(request.host, request.caller),
    signal: request.signal,
    session: sessionOf(request),
    confirm: (message) => request.confirm(message),
    report: (progress, total, message) =>
      request.progress({ progress, ...(total !== undefined && { total }), message }),
    callTool: (server, tool, args, options = {}) =>
      request.callTool(server, tool, args, continuationOf(request), options),
  };
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

/** For descriptions and instructions, which call nothing. */
export function metaContextFor(host: FaceHost, caller: Caller): MetaContext {
  return {
    caller,
    catalog: host.catalog,
    servers: () => host.servers(),
    resolveServer: (name) => host.resolveServer(name),
    ensureTools: (server, again) => host.ensureListed(server, "tools", again),
    toolsSoon: (server) => host.listedSoon(server, "tools"),
    callTool: async () => {
      throw new GatewayError("INTERNAL", "A description tried to call a tool");
    },
    confirm: async () => true,
    report() {},
    resultFormat: host.meta.result_format,
    signal: neverCancelled,
    clock: host.clock,
    settings: host.sections,
    profiles: host.profiles,
    views: host.views,
    skills: host.skills,
    session: undefined,
    usage: host.usage,
    actions: host.actions,
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
