/** From one entry of `backends` to an upstream that is ready to start. */
import type { BackendConfig } from "../config/schema.ts";
import type { Logger } from "../core/log.ts";
import type { Connect, UpstreamEvents } from "../core/upstream.ts";
import type { Clock } from "../lib/clock.ts";
import { httpConnect } from "../upstreams/http/connect-http.ts";
import { type ManagedUpstream, manageUpstream } from "../upstreams/managed-upstream.ts";
import { stdioConnect } from "../upstreams/stdio/connect-stdio.ts";

export interface BackendContext {
  readonly clock: Clock;
  readonly log: Logger;
  readonly events: UpstreamEvents;
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
    clock,
    log,
    events,
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

function connectOf(backend: BackendConfig, context: BackendContext): Connect {
  const { name, command, cwd, env, headers } = backend;
  const settings = {
    name,
    maxResultBytes: backend.max_result_size,
    offer: backend.protocol_version,
    clock: context.clock,
    log: context.log.with({ server: name }),
  };
  if (command === undefined) return httpConnect({ ...settings, url: backend.http_url as string, headers });
  return stdioConnect({ ...settings, argv: command, cwd, env, redact: context.redact });
}
