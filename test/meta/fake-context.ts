/** A meta context over a real catalog, with backends that are only views. */
import { parse } from "valibot";
import type { Catalog, Listed } from "../../src/catalog/catalog.ts";
import { createCatalog } from "../../src/catalog/create-catalog.ts";
import { Answer } from "../../src/core/answer.ts";
import { anonymousCaller, type Caller } from "../../src/core/caller.ts";
import { switchedOff, type UpstreamState } from "../../src/core/upstream.ts";
import { neverCancelled } from "../../src/lib/cancellation.ts";
import { systemClock } from "../../src/lib/clock.ts";
import type { JsonObject } from "../../src/lib/json.ts";
import { codeModeSchema } from "../../src/meta/code-mode/schema.ts";
import type { MetaContext, OperatorActions, ServerView, ToolUsage } from "../../src/meta/meta-tool.ts";
import { RoutingProfiles } from "../../src/meta/routing/routing-profiles.ts";
import { ToolViews } from "../../src/meta/states/tool-views.ts";
import { type SkillSource, serveSkills } from "../../src/skills/served-skills.ts";

export const skillsOff: SkillSource = { isOn: false, served: async () => serveSkills([]) };
export const codeModeOff = parse(codeModeSchema, {});

export interface FakeServer {
  readonly name: string;
  readonly description?: string;
  readonly kind?: ServerView["kind"];
  readonly enabled?: boolean;
  readonly state?: UpstreamState;
  readonly circuit?: ServerView["circuit"];
  /** Left out: never listed. */
  readonly tools?: readonly Listed[];
}

export interface FakeContext extends MetaContext {
  readonly catalog: Catalog;
  readonly calls: { server: string; tool: string; args: JsonObject }[];
  readonly asked: string[];
  readonly reports: unknown[];
}

export function fakeContext(servers: readonly FakeServer[], overrides: Partial<MetaContext> = {}): FakeContext {
  const catalog = createCatalog({ now: () => 0 });
  catalog.setServers(servers.map(({ name, description = "" }) => ({ name, description, key: name })));
  for (const { name, tools } of servers) if (tools) catalog.update(name, "tools", tools);
  const calls: FakeContext["calls"] = [];
  const asked: string[] = [];
  const reports: unknown[] = [];
  const views = servers.map(view);
  return {
    caller: anonymousCaller,
    catalog,
    servers: () => views,
    resolveServer: (name) => views.find((server) => server.name === name)?.name,
    async ensureTools(server) {
      asked.push(server);
    },
    toolsSoon: async () => {},
    async callTool(server, tool, args) {
      calls.push({ server, tool, args });
      return Answer.of({ content: [] });
    },
    confirm: async () => true,
    report: (...progress) => void reports.push(progress),
    resultFormat: "native",
    signal: neverCancelled,
    clock: systemClock,
    settings: { codeMode: codeModeOff, playbooks: { enabled: false, directories: [] }, maxResultSize: undefined },
    profiles: new RoutingProfiles({}, "default"),
    views: new ToolViews(catalog, () => "gateway"),
    skills: skillsOff,
    session: undefined,
    usage: unused,
    actions: fakeActions,
    ...overrides,
    calls,
    asked,
    reports,
  };
}

/** Nothing was called yet. */
export const unused: ToolUsage = { ready: async () => {}, successes: () => 0, most: () => [] };

/** They find and change nothing. */
export const fakeActions: OperatorActions = {
  calls: () => [],
  readPlaybooks: async () => new Map(),
  reloadConfig: async () => ({}),
  reloadCapabilities: async () => "gateway",
  kill: () => ({ was_already_killed: false }),
  revive: () => ({ was_killed: false, breaker_was_open: false }),
  safety: () => [],
  restingTools: () => [],
  webhooks: async () => [],
  costs: async () => ({}),
};

export function callerWith(rights: Partial<Caller>): Caller {
  return { ...anonymousCaller, principal: "key:test", name: "test", admin: false, ...rights };
}

export function tool(name: string, description = "", properties: JsonObject = {}, required: string[] = []): Listed {
  return { name, description, inputSchema: { type: "object", properties, required } };
}

function view({
  name,
  description = "",
  kind = "stdio",
  enabled = true,
  state,
  circuit = "closed",
}: FakeServer): ServerView {
  const lastError = state?.is === "backoff" ? state.error : undefined;
  const status = { ...switchedOff, state: state ?? { is: "ready" as const }, lastError };
  return { name, description, kind, enabled, circuit, status };
}
