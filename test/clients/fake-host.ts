/** A gateway in memory for tests of the face: lists as given, calls recorded and answered by a function. */
import type { Catalog } from "../../src/catalog/catalog.ts";
import type { FaceContext } from "../../src/clients/face.ts";
import type { FaceHost } from "../../src/clients/host.ts";
import { createSessionTable } from "../../src/clients/session-table.ts";
import { Subscriptions } from "../../src/clients/subscriptions.ts";
import type { Answer } from "../../src/core/answer.ts";
import type { Call } from "../../src/core/call.ts";
import { anonymousCaller, type Caller } from "../../src/core/caller.ts";
import { silentLogger } from "../../src/core/log.ts";
import { switchedOff } from "../../src/core/upstream.ts";
import { systemClock } from "../../src/lib/clock.ts";
import type { JsonObject } from "../../src/lib/json.ts";
import type { RpcRequestMessage } from "../../src/mcp/json-rpc.ts";
import type { ListKind } from "../../src/mcp/protocol.ts";
import type { MetaSettings, ToolUsage } from "../../src/meta/meta-tool.ts";
import { RoutingProfiles } from "../../src/meta/routing/routing-profiles.ts";
import type { MetaMcpSettings } from "../../src/meta/schema.ts";
import { ToolViews } from "../../src/meta/states/tool-views.ts";
import type { SkillSource } from "../../src/skills/served-skills.ts";
import { codeModeOff, fakeActions, skillsOff, unused } from "../meta/fake-context.ts";

export type Lists = Record<string, Partial<Record<ListKind, JsonObject[]>>>;

export interface FakeHost extends FaceHost {
  readonly calls: Call[];
  draining: boolean;
  meta: MetaMcpSettings;
  sections: MetaSettings;
  profiles: RoutingProfiles;
  skills: SkillSource;
  usage: ToolUsage;
}

let ids = 0;

export function fakeHost(lists: Lists, answer: (call: Call) => Promise<Answer>): FakeHost {
  const calls: Call[] = [];
  const catalog: Catalog = {
    setServers: () => {},
    ready: async () => {},
    revision: 0,
    servers: [],
    update: () => false,
    list: (server, kind) => lists[server]?.[kind] ?? (lists[server] === undefined ? undefined : []),
    tool: (server, name) => lists[server]?.tools?.find((tool) => tool["name"] === name),
    seenAt: () => 0,
    search: async () => [],
    nearest: (name, candidates) => candidates.filter((candidate) => candidate[0] === name[0]).slice(0, 3),
    flush: async () => {},
  };
  const subscriptions = new Subscriptions();
  return {
    calls,
    catalog,
    sessions: createSessionTable({
      subscriptions,
      calendar: Date.now,
      clock: systemClock,
      newId: () => `session-${++ids}`,
      settings: () => ({ session_ttl: 60_000, session_reaper_interval: 60_000, buffer_size: 3 }),
    }),
    subscriptions,
    listenings: new Set(),
    unwatch() {},
    log: silentLogger,
    clock: systemClock,
    meta: {
      enabled: true,
      cache_tools: true,
      cache_ttl: 300_000,
      warm_start: [],
      surfaced_tools: [],
      promote_often_used: 0,
      spec_preview: false,
      rank_by_usage: true,
      predict_next: false,
      projection_mode: "off",
      operator_tools: "none",
      max_result_size: undefined,
      result_format: "native",
    },
    sections: { codeMode: codeModeOff, playbooks: { enabled: false, directories: [] }, maxResultSize: undefined },
    profiles: new RoutingProfiles({}, "default"),
    views: new ToolViews(catalog, () => "gateway"),
    skills: skillsOff,
    usage: unused,
    actions: fakeActions,
    requestTimeoutMs: 60_000,
    draining: false,
    servers: () =>
      Object.keys(lists).map((name) => ({
        name,
        description: `The ${name}`,
        kind: "stdio",
        enabled: true,
        circuit: "closed",
        status: { ...switchedOff, state: { is: "ready" } },
      })),
    resolveServer: (name) => (name in lists ? name : undefined),
    describe: () => undefined,
    async call(call) {
      calls.push(call);
      return answer(call);
    },
    objections: async () => [],
    ensureListed: async () => {},
    listedSoon: async () => {},
    refreshIfStale() {},
    applyLogLevels() {},
  };
}

export function contextOf(
  change: Partial<FaceContext> & { caller?: Caller } = {},
): FaceContext & { emitted: string[] } {
  const emitted: string[] = [];
  return {
    caller: anonymousCaller,
    session: undefined,
    backend: undefined,
    requestId: "req-1",
    signal: new AbortController().signal,
    emit: (messageText) => emitted.push(messageText) > 0,
    ...change,
    emitted,
  };
}

export function request(method: string, params?: JsonObject, id: string | number = 1): RpcRequestMessage {
  return { kind: "request", id, method, params };
}
