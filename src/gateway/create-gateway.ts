/** The composition root: puts the rooms together for one configuration, and does it again for the next without a gap. */

import { createCatalog } from "../catalog/create-catalog.ts";
import { createListStore } from "../catalog/list-store.ts";
import { stableHash } from "../catalog/stable-hash.ts";
import { createFace } from "../clients/create-face.ts";
import { announceElicitationEnd, announceListChange, announceView } from "../clients/fan-out.ts";
import type { FaceHost } from "../clients/host.ts";
import { mostVerboseLevel } from "../clients/most-verbose-level.ts";
import { createSessionTable } from "../clients/session-table.ts";
import { Subscriptions, type Watched } from "../clients/subscriptions.ts";
import type { Config } from "../config/schema.ts";
import { DeniedError } from "../core/errors.ts";
import type { Logger } from "../core/log.ts";
import type { Upstream } from "../core/upstream.ts";
import { Cancellation } from "../lib/cancellation.ts";
import type { Clock } from "../lib/clock.ts";
import { stableJson } from "../lib/json.ts";
import { RoutingProfiles } from "../meta/routing/routing-profiles.ts";
import { ToolViews } from "../meta/states/tool-views.ts";
import type { Environment } from "../runtime/process.ts";
import { randomToken } from "../runtime/random.ts";
import { StageStates } from "../stages/stage-states.ts";
import { startHealthChecks } from "../upstreams/health.ts";
import { createPool } from "../upstreams/pool.ts";
import { warmStart } from "../upstreams/warm-start.ts";
import { planBackends } from "./backend-plan.ts";
import { type Route, requestLogLevel, tellWatched } from "./dispatch.ts";
import type { Gateway, ReloadOutcome } from "./gateway.ts";
import { createKillSwitchPanel } from "./kill-switch-panel.ts";
import { createListKeeper } from "./list-keeper.ts";
import { createLogins } from "./logins.ts";
import { modernFaceOf } from "./modern-face-of.ts";
import { createOperation, type RunningOperation } from "./operation.ts";
import { operatorActions, viewOf } from "./operator-actions.ts";
import { createPolicies } from "./policies.ts";
import { reviewSessions } from "./principals.ts";
import { SaveProblems } from "./save-problems.ts";
import { ServerLog } from "./server-log.ts";
import { shareState } from "./share-state.ts";
import { SkillWatch } from "./skill-watch.ts";
import { upstreamEvents } from "./upstream-events.ts";
import { createUsage } from "./usage.ts";
import { watchCalls } from "./watch-calls.ts";
import { createWebhooks } from "./webhooks.ts";

export interface GatewayOptions {
  readonly config: Config;
  readonly log: Logger;
  readonly clock: Clock;
  /** Directory of the gateway's state; `undefined` keeps everything in memory. */
  readonly stateDirectory: string | undefined;
  readonly env: Environment;
  redact(text: string): string;
  /** Told secrets that turn up while running, so that {@link redact} takes them out from then on. */
  learnSecret(value: string): void;
  /** Reads the configuration file and brings it into force. Left out, there is none. @throws ConfigError */
  readonly reloadConfig?: (() => Promise<ReloadOutcome>) | undefined;
}

export interface RunningGateway extends Gateway {
  configError: string | undefined;
  readonly operation: RunningOperation;
  /** Starts what `meta_mcp.warm_start` names and reads the lists on disk; call it once the doors are open. */
  warmUp(): void;
}

export function createGateway(options: GatewayOptions): RunningGateway {
  const { log, clock, stateDirectory } = options;
  let config = options.config;
  let profiles = new RoutingProfiles(config.routing_profiles, config.default_routing_profile);
  let draining = false;
  let closing: Promise<void> | undefined;
  const saveProblems = new SaveProblems(log);
  const noteProblem = saveProblems.of.bind(saveProblems);
  const stopping = new Cancellation();
  let hurry = () => {};
  const hurried = new Promise<void>((resolve) => {
    hurry = resolve;
  });

  const catalog = createCatalog({
    store:
      stateDirectory === undefined
        ? undefined
        : createListStore(
            `${stateDirectory}/catalog`,
            () => config.meta_mcp.cache_tools,
            noteProblem("Tool lists", "search knows nothing of sleeping backends after a restart"),
          ),
    now: Date.now,
  });
  const subscriptions = new Subscriptions();
  const { sharing, sessionStore } = shareState({ ...options, config: () => config, saveProblems });
  const policies = createPolicies({
    ...options,
    sharing,
    config: () => config,
    catalog,
    noteProblem,
    isPinned: (server) => server !== plan.capabilityName,
    onFreed: (server) => {
      if (routeOf(server)?.used?.isReady) lists.ensureListed(server, "tools", true).catch(() => {});
    },
  });
  const sessions = createSessionTable({
    clock,
    newId: () => randomToken(32),
    calendar: Date.now,
    settings: () => config.streaming,
    subscriptions,
    store: sessionStore,
    onEnd(session) {
      policies.forgetSession(session.id);
      for (const watched of subscriptions.removeWatcher(session)) unwatch(watched);
    },
    onRestored(session, unwatched) {
      host.applyLogLevels();
      for (const watched of unwatched) unwatch(watched);
      for (const { server, uri } of subscriptions.watchedBy(session)) {
        const route = routeOf(server);
        if (route?.used?.isReady) tellWatched(route, uri, true);
        // It is told once it is there.
        else if (route !== undefined) void warmStart([route.upstream], stopping);
      }
    },
  });
  const { kept } = policies.context;
  const pool = createPool<Upstream>();
  const stageStates = new StageStates(clock, policies.context.onTrip);
  const killSwitches = createKillSwitchPanel(stageStates, policies.controlPlane.note);
  /** Every route that still has calls on it, those of earlier configurations included. */
  const busyRoutes = () => [...retiredRoutes, ...plan.routes.values()].filter((route) => route.inFlight > 0);
  const retiredRoutes = new Set<Route>();
  function unwatch({ server, uri }: Watched): void {
    const route = routeOf(server);
    if (route !== undefined) tellWatched(route, uri, false);
  }
  const routeOf = (name: string): Route | undefined => plan.routes.get(name);
  const upstreamOf = (name: string): Upstream => {
    const route = routeOf(name);
    if (route === undefined) throw noRoute(name, config);
    return route.upstream;
  };

  const letIn = (server: string) => void logins.waitingForLogin.delete(server);
  const late = { host: () => host, lists: () => lists, letIn };
  const events = upstreamEvents({ ...options, ...late, policies, subscriptions, routeOf });
  const isWatched = (name: string) => subscriptions.hasAny(name);
  const logins = createLogins({
    ...options,
    onProblem: noteProblem("Logins", "they end with this process"),
    onLoggedIn(server, loginId) {
      announceElicitationEnd(host, server, { elicitationId: loginId });
      // Its lists were out of reach until now.
      const upstream = routeOf(server)?.upstream;
      if (upstream !== undefined) void warmStart([upstream], stopping);
    },
  });
  const noteLostProfiles = noteProblem("Tool profiles", "what is measured from now on is lost with this process");
  const logsDenied = () => config.security.tool_policy.log_denied;
  const { onCall, clientCircuits, controlPlane } = policies;
  const onOutcome = clientCircuits.settle;
  const watch = watchCalls({ ...options, catalog, logsDenied, onCall, onOutcome, onProblem: noteLostProfiles });
  const skills = new SkillWatch({ ...options, host: () => host });
  const serverLog = new ServerLog();
  const watched = { ...watch, ...policies.context, log: serverLog.keeping(log) };
  const inForce = { config: () => config, host: () => host, capabilities: () => plan.capabilities() };
  const webhooks = createWebhooks({ ...options, ...inForce, ...policies.context, noteProblem });
  const shared = { sharing, stageStates, webhooks, host: inForce.host };
  const context = { ...options, ...watched, ...shared, ...logins, events, isWatched };
  let plan = planBackends(config, pool, context);
  adopt(plan.routes);

  const host: FaceHost = {
    catalog,
    sessions,
    subscriptions,
    listenings: new Set(),
    unwatch,
    log,
    clock,
    get meta() {
      return config.meta_mcp;
    },
    get tracer() {
      return policies.tracing.current();
    },
    get sections() {
      const { code_mode: codeMode, playbooks, meta_mcp } = config;
      return { codeMode, playbooks, maxResultSize: meta_mcp.max_result_size };
    },
    get profiles() {
      return profiles;
    },
    views: new ToolViews(catalog, () => plan.capabilityName),
    skills,
    usage: createUsage({ clock, settings: () => config.meta_mcp, observatory: watch.observatory }),
    actions: operatorActions({
      ...inForce,
      counts: watch.counts,
      killSwitches,
      costs: policies.costs,
      webhooks,
      lists: () => lists,
      reloadConfig: options.reloadConfig,
    }),
    get requestTimeoutMs() {
      return config.server.request_timeout;
    },
    get draining() {
      return draining;
    },
    servers: () => gateway.servers(),
    resolveServer: (name) =>
      Object.hasOwn(config.backends, name) || name === plan.capabilityName ? name : plan.capabilityAliases.get(name),
    describe: (server) => routeOf(server)?.used?.description,
    call: (call) => gateway.call(call),
    objections: policies.objections,
    onAnswer: watch.onAnswer,
    onSession: watch.onSession,
    ensureListed: (server, kind, again) => lists.ensureListed(server, kind, again),
    listedSoon: (server, kind) => lists.listedSoon(server, kind),
    refreshIfStale: (server, kind) => lists.refreshIfStale(server, kind),
    applyLogLevels() {
      const level = mostVerboseLevel(sessions.all());
      if (level !== undefined) for (const route of plan.routes.values()) requestLogLevel(route, level);
    },
  };
  const lists = createListKeeper({
    catalog,
    routeOf,
    clock,
    log,
    maxAgeMs: () => config.meta_mcp.cache_ttl,
    onChanged(server, kind) {
      kept.answers.forget(server);
      announceListChange(host, server, kind);
    },
    admit: policies.admit,
    onAsked: policies.integrity.onAsked,
  });
  const endHealthChecks = startHealthChecks({
    clock,
    targets: () => plan.healthTargets,
    onProbe(upstream, alive) {
      const breaker = stageStates.made(upstream.name)?.breaker;
      if (alive && breaker?.state === "open") breaker.reset();
    },
  });

  /** Makes `plan` the one in force: what is not in it any more is closed once its running calls are done. */
  function adopt(before: ReadonlyMap<string, Route>): void {
    plan.change.commit(async (name) => {
      const route = before.get(name);
      if (route === undefined) return;
      retiredRoutes.add(route);
      await route.quiet(config.server.shutdown_timeout, clock);
      retiredRoutes.delete(route);
    });
    for (const name of stageStates.forgetAllBut((server) => plan.routes.has(server))) serverLog.forget(name);
    // Who watches something of a backend waits for its successor to say that it changed.
    const wanted = plan.change.changed.filter(isWatched).flatMap((name) => routeOf(name)?.upstream ?? []);
    if (wanted.length > 0) void warmStart(wanted, stopping);
    catalog.setServers(
      plan.definitions.map(({ name, description, settings }) => ({
        name,
        description,
        // Worked out when the lists on disk are asked for, not at start.
        get key() {
          return stableHash(stableJson(settings));
        },
      })),
    );
  }

  async function stop(graceMs: number): Promise<void> {
    draining = true;
    stopping.abort();
    for (const listening of host.listenings) listening.end();
    if (graceMs > 0)
      await Promise.all(busyRoutes().map((route) => Promise.race([route.quiet(graceMs, clock), hurried])));
    endHealthChecks();
    skills.close();
    policies.integrity.close();
    // What still runs fails with its backend and so is answered; ending the sessions first would cancel it silently.
    await Promise.all([pool.close(0), catalog.flush()]);
    // After the last call has ended.
    await Promise.all([watch.flush(), policies.flush(), webhooks.flush()]);
    await sessions.closeAll();
    await sharing.close();
  }

  const gateway: RunningGateway = {
    log,
    sessions,
    catalog,
    views: host.views,
    face: createFace(host),
    modernFace: modernFaceOf({ host, stateDirectory, noteProblem }),
    startedAt: new Date(),
    configError: undefined,
    get config() {
      return config;
    },
    get draining() {
      return draining;
    },
    get degraded() {
      return saveProblems.list;
    },
    get inFlight() {
      return busyRoutes().reduce((sum, route) => sum + route.inFlight, 0);
    },
    operation: createOperation({
      ...options,
      ...{ watch, serverLog, stageStates, upstreamOf, stopping, note: controlPlane.note },
      lists: () => lists,
    }),
    controlPlane,
    waitingForLogin: logins.waitingForLogin,
    call(call) {
      const route = routeOf(call.upstream);
      return route === undefined ? Promise.reject(noRoute(call.upstream, config)) : route.call(call);
    },
    servers: () =>
      plan.servers.map(({ name, enabled, unused, ...planned }) => ({
        ...planned,
        name,
        enabled,
        status: routeOf(name)?.used?.status() ?? unused,
        circuit: stageStates.made(name)?.breaker.state ?? "closed",
        killed: (stageStates.made(name)?.killSwitch.restMs ?? 0) > 0,
      })),
    costs: policies.costs,
    publicKeys: policies.context.identities.publicKeys,
    webhooks,
    killSwitches,
    get sharedLimits() {
      return sharing.state?.then(({ limits }) => limits);
    },
    clientCircuits,
    heldTools: () => policies.integrity.held(),
    approveTool: (...approval) => policies.integrity.approve(...approval),
    async reload(next, env) {
      const { diffConfigs, noChanges } = await import("../config/diff.ts");
      const { changes, serverAddressChanged, sections } = diffConfigs(config, next);
      const before = plan.routes;
      const viewChanged = viewOf(config) !== viewOf(next);
      const nextPlan = planBackends(next, pool, { ...context, env });
      config = next;
      sharing.configure(next.shared_state);
      profiles = new RoutingProfiles(next.routing_profiles, next.default_routing_profile);
      plan = nextPlan;
      kept.answers.forgetAll();
      policies.tracing.configure(next.tracing);
      adopt(before);
      reviewSessions(sessions, next, sections);
      for (const kind of ["tools", "resources", "prompts"] as const)
        for (const name of [...nextPlan.change.added, ...nextPlan.change.changed, ...nextPlan.change.removed])
          if (before.has(name) || catalog.list(name, kind) !== undefined) announceListChange(host, name, kind);
      if (viewChanged) announceView(host);
      skills.configure(next);
      log.info("Configuration reloaded", { changes });
      const detail = [changes, ...sections].join(", ");
      if (changes !== noChanges) controlPlane.note({ action: "configuration-reloaded", detail });
      return serverAddressChanged
        ? { changes, restart_required: true, restart_reason: "server_address_changed" }
        : { changes, restart_required: false };
    },
    warmUp() {
      void catalog.ready();
      void gateway.face.warmUp();
      skills.start();
      const named = config.meta_mcp.warm_start.flatMap((name) => routeOf(name)?.upstream ?? []);
      void warmStart(named, stopping);
    },
    async drain() {
      closing ??= stop(config.server.shutdown_timeout);
      await closing;
    },
    async close() {
      hurry();
      closing ??= stop(0);
      await closing;
    },
  };
  return gateway;
}

function noRoute(name: string, config: Config): DeniedError {
  const data = { server: name };
  if (config.backends[name]?.enabled === false)
    return new DeniedError("SERVER_DISABLED", `Backend "${name}" is switched off in the configuration`, { data });
  return new DeniedError("SERVER_NOT_FOUND", `There is no backend "${name}"`, { data });
}
