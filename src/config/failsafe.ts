/** The failsafe settings one backend runs under. */
import type { FailsafeSettings } from "../stages/schema.ts";
import type { Config } from "./schema.ts";

/** The `failsafe` section with the backend's own overrides laid over it, key by key. Pure; an unknown name gets the section as it is. */
export function effectiveFailsafe(config: Config, backendName: string): FailsafeSettings {
  const own = config.backends[backendName]?.failsafe;
  const { failsafe } = config;
  if (own === undefined) return failsafe;
  return {
    circuit_breaker: { ...failsafe.circuit_breaker, ...own.circuit_breaker },
    retry: { ...failsafe.retry, ...own.retry },
    rate_limit: { ...failsafe.rate_limit, ...own.rate_limit },
    concurrency: { ...failsafe.concurrency, ...own.concurrency },
    error_budget: { ...failsafe.error_budget, ...own.error_budget },
    tool_error_budget: { ...failsafe.tool_error_budget, ...own.tool_error_budget },
    health_check: { ...failsafe.health_check, ...own.health_check },
  };
}
