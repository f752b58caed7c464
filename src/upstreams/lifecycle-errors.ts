/** What a request hears when its server cannot be asked now. */
import { DeniedError, NotStartedYetError, UnreachedError, UpstreamError } from "../core/errors.ts";

/** No failure of the server: neither breaker nor retry may count it. */
export function isStopping(server: string): DeniedError {
  return new DeniedError("SHUTTING_DOWN", `Server "${server}" is being stopped`, { data: { server } });
}

export function startedTooSlowly(server: string, limitMs: number): UpstreamError {
  return new UpstreamError(
    "UPSTREAM_START_FAILED",
    `Server "${server}" did not answer "initialize" within ${limitMs} ms`,
    { hint: 'Raise "start_timeout" of this backend if it needs longer', data: { server } },
  );
}

/** @param restMs infinite for one that was given up */
export function notStartedAgainYet(server: string, error: string, restMs: number): NotStartedYetError | DeniedError {
  // Nothing that trying again would change.
  if (restMs === Number.POSITIVE_INFINITY)
    return new DeniedError("UPSTREAM_START_FAILED", `Server "${server}" failed too often: ${error}`, {
      hint: `Correct it and restart it by hand; "restart.max_restarts" of its profile says how often it is tried`,
      data: { server },
    });
  const retryAfterMs = Math.max(1, Math.ceil(restMs));
  return new NotStartedYetError("UPSTREAM_START_FAILED", `Server "${server}" is not started again yet: ${error}`, {
    hint: `It may be started again in ${Math.ceil(retryAfterMs / 1_000)} s`,
    data: { server, retry_after_ms: retryAfterMs },
  });
}

/** The failure of a start: no request was sent, so that it may be made elsewhere whatever it does. */
export function notSent(error: unknown): unknown {
  if (!(error instanceof UpstreamError) || error.code !== "UPSTREAM_START_FAILED") return error;
  const { code, message, hint, data, cause } = error;
  return new UnreachedError(code, message, { hint, data, cause });
}

export function wasRestarted(server: string): UpstreamError {
  return new UpstreamError("UPSTREAM_CLOSED", `Server "${server}" was restarted`, { data: { server } });
}
