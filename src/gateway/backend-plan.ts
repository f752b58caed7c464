/** One configuration worked out: which upstreams it needs, kept or new, and the stages in front of each. Changes nothing until committed. */
import type { FaceHost } from "../clients/host.ts";
import { effectiveFailsafe } from "../config/failsafe.ts";
import type { BackendConfig, Config } from "../config/schema.ts";
import type { Call } from "../core/call.ts";
import { asleep, switchedOff, type Upstream, type UpstreamKind, type UpstreamStatus } from "../core/upstream.ts";
import { dataDirectory } from "../runtime/paths.ts";
import type { Environment } from "../runtime/process.ts";
import { watchTree } from "../runtime/watch.ts";
import type { IdentityBroker } from "../stages/identity/identity-stage.ts";
import type { CallsUnderWay } from "../stages/record/calls-under-way.ts";
import type { CallSink } from "../stages/record/record-stage.ts";
import type { SecurityStageSettings } from "../stages/schema.ts";
import type { StageStates } from "../stages/stage-states.ts";
import type { UpstreamStageState } from "../stages/upstream-stage-state.ts";
import type { ReplicaGroup } from "../upstreams/group/replica-group.ts";
import type { HealthTarget } from "../upstreams/health.ts";
import { LazyUpstream } from "../upstreams/lazy-upstream.ts";
import type { Definition, Pool, PoolChange } from "../upstreams/pool.ts";
import { type BackendContext, backendUpstream, definitionOf, kindOf } from "./backend-upstream.ts";
import { Route } from "./dispatch.ts";
import { isolationOf } from "./isolation.ts";
import type { PolicyContext } from "./policies.ts";
import { groupPlan, replicaUpstream, unusedStatus } from "./replica-upstream.ts";
import type { Sharing } from "./sharing.ts";
import type { CallWatch } from "./watch-calls.ts";
import type { Webhooks } from "./webhooks.ts";

export interface PlanContext extends BackendContext, PolicyContext {
  readonly env: Environment;
  /** `undefined` keeps the gateway's state in memory; logins are then looked for where they are by default. */
  readonly stateDirectory: string | undefined;
  /** Backends that let the gateway in by a login. */
  readonly loggedIn: ReadonlySet<string>;
  readonly underWay: CallsUnderWay;
  readonly onCall: CallSink;
  readonly webhooks: Pick<Webhooks, "take">;
  /** Capabilities that are made of tools call them here. */
  readonly host: () => FaceHost;
  readonly onProjected: CallWatch["onProjected"];
  /** Outlive every plan. */
  readonly stageStates: StageStates;
  readonly sharing: Sharing;
}

interface PlannedServer {
  readonly name: string;
  readonly description: string;
  readonly kind: UpstreamKind;
  readonly enabled: boolean;
  /** Its status as long as nobody used it. */
  readonly unused: UpstreamStatus;
  readonly runtime?: string | undefined;
}

export interface Plan {
  /** Every configured backend in configuration order, the capabilities last. */
  readonly servers: readonly PlannedServer[];
  readonly routes: ReadonlyMap<string, Route>;
  readonly definitions: readonly (Definition<Upstream> & { readonly description: string })[];
  readonly healthTargets: readonly HealthTarget[];
  readonly capabilityName: string | undefined;
  /** The backend of that name; `undefined` while capabilities are off. */
  capabilities(): Upstream | undefined;
  /** Other names of the capability backend, where no backend has them. */
  readonly capabilityAliases: ReadonlyMap<string, string>;
  readonly change: PoolChange<Upstream>;
}

const capabilityTimeoutMs = 120_000;

export function planBackends(config: Config, pool: Pool<Upstream>, context: PlanContext): Plan {
  const enabled = Object.values(config.backends).filter((backend) => backend.enabled);
  const capabilities = capabilityDefinition(config, context);
  const definitions = [...enabled.map((backend) => backendDefinition(backend, config, context)), ...capabilities];
  const change = pool.apply(definitions);
  const routes = new Map<string, Route>();
  const healthTargets: HealthTarget[] = [];
  for (const [name, upstream] of change.upstreams) {
    const settings = effectiveFailsafe(config, name);
    const timeoutMs = config.backends[name]?.timeout ?? capabilityTimeoutMs;
    context.stageStates.configure(name, settings, change.changed.includes(name));
    // With the first call: a start needs no policy.
    const stages = async () => {
      const state = context.stageStates.of(name) as UpstreamStageState;
      const backend = config.backends[name];
      const [{ stagesFor }, shared, statements, steps, identity] = await Promise.all([
        import("../stages/order.ts"),
        context.sharing.state,
        context.statements(config, upstream.value.kind, context.env),
        context.sessionPaths.forStages(config),
        backend && context.identities.brokerOf(backend),
      ]);
      const policies = policiesOf(config, upstream.value, context, identity);
      const limits = shared?.limits;
      return stagesFor({
        upstream: upstream.value,
        settings,
        timeoutMs,
        state,
        limits,
        ...policies,
        ...statements,
        ...steps,
      });
    };
    routes.set(name, new Route(upstream, stages, timeoutMs));
    const { enabled: isWatched, interval, timeout } = settings.health_check;
    if (isWatched) healthTargets.push({ upstream, intervalMs: interval, timeoutMs: timeout });
  }
  const capabilityName = capabilities[0]?.name;
  return {
    servers: [
      ...Object.values(config.backends).map((backend) => describe(backend, config)),
      ...capabilities.map(describeCapabilities),
    ],
    routes,
    definitions,
    healthTargets,
    capabilityName,
    capabilities: () => (capabilityName === undefined ? undefined : routes.get(capabilityName)?.upstream),
    capabilityAliases: new Map(
      ["gateway", "fulcrum", "capabilities"]
        .filter((alias) => capabilityName !== undefined && !Object.hasOwn(config.backends, alias))
        .map((alias) => [alias, capabilityName as string]),
    ),
    change,
  };
}

function policiesOf(config: Config, upstream: Upstream, context: PlanContext, identity: IdentityBroker | undefined) {
  const { name } = upstream;
  const { tool_integrity, transparency_log } = config.security;
  return {
    sink: context.onCall,
    underWay: context.underWay,
    security: securityOf(config, name, context.env),
    onFindings: context.onFindings,
    // Capabilities are the operator's own files.
    gate: tool_integrity.enabled && upstream.kind !== "capability" ? context.gateOf(name) : undefined,
    isAuditFailing: transparency_log.enabled && transparency_log.fail_closed ? context.isAuditFailing : undefined,
    costs: { settings: config.cost_governance, book: context.costBook },
    sessionUsage: context.sessionUsage,
    idempotency: context.kept.idempotency,
    tracer: config.tracing?.enabled ? context.tracer : undefined,
    // Capabilities say themselves how long their answers last.
    cache: upstream.kind === "capability" ? undefined : { settings: config.cache, store: context.kept.answers },
    isPersonal: personalOf(config, name, context, identity),
    secrets: config.backends[name]?.secrets,
    identity,
  };
}

/** A call that comes with an identity of its own is not made with the login. */
function personalOf(
  config: Config,
  name: string,
  context: PlanContext,
  identity: IdentityBroker | undefined,
): ((call: Call) => boolean) | undefined {
  const { auth, backends } = config;
  if (!auth.enabled || auth.single_user || backends[name]?.oauth?.shared_account === true) return undefined;
  const backend = backends[name];
  const isReachedByUrl = [backend, ...(backend?.replicas ?? [])].some((one) => one?.http_url ?? one?.a2a_url);
  return isReachedByUrl ? (call) => context.loggedIn.has(name) && identity?.covers(call) !== true : undefined;
}

/** A backend that is passed through keeps the firewall: its own rules can be taken off one by one; and what nothing bypasses. */
function securityOf(config: Config, name: string, env: Environment): SecurityStageSettings {
  const security = withSkipKeys(config.security, env["MCP_GATEWAY_FIREWALL_SKIP_KEYS"]);
  if (config.backends[name]?.passthrough !== true) return security;
  const { tool_policy, context_integrity: judging } = security;
  return {
    ...security,
    sanitize_input: false,
    tool_policy: { ...tool_policy, enabled: false },
    context_integrity: judging?.non_bypassable ? judging : undefined,
  };
}

/** The variable of the product this one replaces: names of arguments, separated by commas. */
function withSkipKeys(security: SecurityStageSettings, names: string | undefined): SecurityStageSettings {
  if (!names) return security;
  const { firewall } = security;
  const more = names.split(",").map((name) => name.trim());
  return { ...security, firewall: { ...firewall, free_text_keys: [...firewall.free_text_keys, ...more] } };
}

function backendDefinition(backend: BackendConfig, config: Config, context: PlanContext) {
  const { name, description, replicas } = backend;
  const isolation = isolationOf(backend, config.runtime, context.env);
  const common = { name, description, settings: definitionOf(backend, isolation, config.security) };
  if (replicas === undefined) return { ...common, build: (): Upstream => backendUpstream(backend, context, isolation) };
  return {
    ...common,
    build: (): Upstream => replicaUpstream(backend, config, context),
    adapt: (group: Upstream) => (group as ReplicaGroup).configure(groupPlan(backend, config, context)),
  };
}

function capabilityDefinition(config: Config, context: PlanContext) {
  const { env, log, clock, stateDirectory, webhooks, host } = context;
  const { enabled, name, directories, builtin } = config.capabilities;
  if (!enabled || Object.hasOwn(config.backends, name)) return [];
  const ssrfProtection = config.security.ssrf_protection;
  const mode = config.meta_mcp.projection_mode;
  return [
    {
      name,
      description: "APIs and programs as tools, described by YAML files",
      // The environment too: which tools have their keys is a part of the list.
      settings: { capabilities: { directories, builtin, ssrfProtection, env, projection: mode } },
      build(): Upstream {
        const upstream: Upstream = new LazyUpstream({
          name,
          kind: "capability",
          events: context.events,
          async load(events) {
            const [{ createCapabilityUpstream }, { nestedCalls }] = await Promise.all([
              import("../capabilities/capability-upstream.ts"),
              import("./nested-calls.ts"),
            ]);
            return createCapabilityUpstream({
              name,
              directories,
              builtin,
              env,
              stateDirectory: stateDirectory ?? dataDirectory(undefined, env),
              ssrfProtection,
              log,
              events,
              watch: watchTree,
              clock,
              backends: nestedCalls(host),
              projection: { mode, onAnswer: context.onProjected },
              onWebhooks: (found) => webhooks.take(upstream, found, env),
            });
          },
        });
        return upstream;
      },
    },
  ];
}

function describe(backend: BackendConfig, { runtime }: Config): PlannedServer {
  const { name, description, enabled } = backend;
  const kind = kindOf(backend);
  const provider = isolationOf(backend, runtime, {})?.profile.provider ?? "local_process";
  const unused = enabled ? unusedStatus(backend) : switchedOff;
  return { name, description, enabled, kind, runtime: kind === "stdio" ? provider : undefined, unused };
}

function describeCapabilities({ name, description }: { name: string; description: string }): PlannedServer {
  return { name, description, enabled: true, kind: "capability", unused: asleep };
}
