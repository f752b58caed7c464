/** From one entry of `backends` to an upstream that is ready to start. */
import type { BackendConfig, Config } from "../config/schema.ts";
import type { Logger } from "../core/log.ts";
import type { UpstreamEvents, UpstreamKind } from "../core/upstream.ts";
import type { Clock } from "../lib/clock.ts";
import { isOfConnection } from "../stages/secrets/sent-secret.ts";
import { LazyUpstream } from "../upstreams/lazy-upstream.ts";
import type { ManagedUpstream } from "../upstreams/managed-upstream.ts";
import type { Identities } from "./identities.ts";
import type { Isolation } from "./isolation.ts";

export interface OAuthContext {
  /** Where tokens are kept; `undefined` keeps them in memory. */
  readonly directory: string | undefined;
  /** Text that stands for the key they are kept under. */
  readonly key: string | undefined;
  onSecret(value: string): void;
  /** Told that the backend lets the gateway in by a login. */
  onAccess(server: string): void;
  /** Told that the backend lets nobody in without a login. */
  onLoginRequired(server: string): void;
  /** @param loginId of the error that asked for the login */
  onLoggedIn(server: string, loginId: string): void;
  onProblem(error: unknown): void;
}

export interface BackendContext {
  readonly clock: Clock;
  readonly log: Logger;
  readonly events: UpstreamEvents;
  /** Whether anything of this backend is subscribed to. */
  isWatched(name: string): boolean;
  redact(text: string): string;
  /** `security.trust_configured_backends` */
  trustsBackends(): boolean;
  readonly identities: Identities;
  readonly oauth: OAuthContext;
}

export function backendUpstream(
  backend: BackendConfig,
  context: BackendContext,
  isolation: Isolation | undefined,
): ManagedUpstream {
  const { clock, log } = context;
  const { max_restarts: maxFailures, backoff_secs: backoffSecs } = isolation?.profile.restart ?? {};
  const common = { name: backend.name, kind: kindOf(backend) };
  return new LazyUpstream({
    ...common,
    events: context.events,
    async load(events) {
      const [{ manageUpstream }, { connectBackend }] = await Promise.all([
        import("../upstreams/managed-upstream.ts"),
        import("./connect-backend.ts"),
      ]);
      return manageUpstream({
        ...common,
        connect: connectBackend(backend, context, isolation),
        startTimeoutMs: backend.start_timeout,
        idleMs: backend.stop_when_idle_for,
        maxFailures,
        restartDelayMs: backoffSecs === undefined ? undefined : backoffSecs * 1_000,
        isHeld: () => context.isWatched(backend.name),
        clock,
        log,
        events,
        redact: context.redact,
      });
    },
  });
}

/**
 * Whatever, when changed, needs a new process or connection. Policies and texts are not in it: a reload changes them
 * without touching what runs.
 */
export function definitionOf(
  backend: BackendConfig,
  isolation: Isolation | undefined,
  { trust_configured_backends: isTrusted }: Pick<Config["security"], "trust_configured_backends">,
): unknown {
  const { description: _text, timeout: _stage, failsafe: _stages, enabled: _presence, ...rest } = backend;
  // Replicas come and go one by one, each with a definition of its own.
  const { replicas: _each, load_balancing: _choice, ...common } = rest;
  const { passthrough: _policies, runtime_profile: _name, ...definition } = common;
  // The others are of the single call; which of them there are shows in the tools.
  const secrets = backend.secrets?.map((secret) => (isOfConnection(secret) ? secret : { ...secret, value: "" }));
  const isHeldToPublic = !isTrusted && isOnNetwork(backend);
  return { ...definition, secrets, isolation, ...(isHeldToPublic && { isHeldToPublic }) };
}

/** How the backend is reached; which of the HTTP transports it is shows when it is. */
export function kindOf({ command, a2a_url, http_url = "", replicas }: BackendConfig): UpstreamKind {
  if (replicas !== undefined) return "group";
  if (command !== undefined) return "stdio";
  if (a2a_url !== undefined) return "a2a";
  if (/^wss?:/i.test(http_url)) return "websocket";
  return /^unix:/i.test(http_url) ? "unix" : "http";
}

/** Whether the network lies between the gateway and the backend. */
export function isOnNetwork(backend: BackendConfig): boolean {
  return ["http", "websocket", "a2a"].includes(kindOf(backend));
}
