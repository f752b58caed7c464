/** From one entry of `backends` to an upstream that is ready to start. */
import type { BackendConfig } from "../config/schema.ts";
import type { Logger } from "../core/log.ts";
import type { Connect, UpstreamEvents } from "../core/upstream.ts";
import type { Clock } from "../lib/clock.ts";
import { type ManagedUpstream, manageUpstream } from "../upstreams/managed-upstream.ts";

export interface BackendContext {
  readonly clock: Clock;
  readonly log: Logger;
  readonly events: UpstreamEvents;
  /** Whether anything of this backend is subscribed to. */
  isWatched(name: string): boolean;
  redact(text: string): string;
}

export function backendUpstream(backend: BackendConfig, context: BackendContext): ManagedUpstream {
  const { clock, log, events } = context;
  return manageUpstream({
    name: backend.name,
    kind: backend.command === undefined ? "http" : "stdio",
    connect: connectOf(backend, context),
    startTimeoutMs: backend.start_timeout,
    idleMs: backend.stop_when_idle_for,
    isHeld: () => context.isWatched(backend.name),
    clock,
    log,
    events,
    redact: context.redact,
  });
}

/**
 * Whatever, when changed, needs a new process or connection. Policies and texts are not in it: a reload changes them
 * without touching what runs.
 */
export function definitionOf(backend: BackendConfig): unknown {
  const { description: _text, timeout: _stage, failsafe: _stages, enabled: _presence, ...definition } = backend;
  return definition;
}

/** The transports are loaded at the first start: a gateway whose backends sleep needs neither. */
function connectOf(backend: BackendConfig, context: BackendContext): Connect {
  const { name, command, cwd, env, headers } = backend;
  const settings = {
    name,
    maxResultBytes: backend.max_result_size,
    offer: backend.protocol_version,
    clock: context.clock,
    log: context.log.with({ server: name }),
  };
  // What the connection before found out (which HTTP transport it is) is kept in here.
  let connect: Connect | undefined;
  return async (signal, events) => {
    if (connect === undefined && command === undefined) {
      const { httpConnect } = await import("../upstreams/http/connect-http.ts");
      connect ??= httpConnect({ ...settings, url: backend.http_url as string, headers });
    } else if (connect === undefined) {
      const { stdioConnect } = await import("../upstreams/stdio/connect-stdio.ts");
      connect ??= stdioConnect({ ...settings, argv: command as string[], cwd, env, redact: context.redact });
    }
    return (connect as Connect)(signal, events);
  };
}
