/** What operators see and do about backends that do harm: meta-tools and the management API are built on this. */
import { DeniedError } from "../core/errors.ts";
import type { UpstreamStageState } from "../stages/upstream-stage-state.ts";

export interface ServerSafety {
  readonly server: string;
  /** By an operator, or because its error budget is used up. */
  readonly killed: boolean;
  /** In [0, 1]. */
  readonly error_rate: number;
  readonly window: { readonly successes: number; readonly failures: number };
}

export interface RestingTool {
  readonly backend: string;
  readonly capability: string;
  readonly error_rate: number;
  /** Until it is tried again; `null` when only reviving its backend helps. */
  readonly cooldown_seconds: number | null;
}

export interface KillSwitchPanel {
  /** Refuses every call to the backend from now on; running ones finish. @throws DeniedError SERVER_NOT_FOUND */
  kill(server: string): { readonly was_already_killed: boolean };
  /** Lets it be called again: forgives its failures and closes its circuit. @throws DeniedError SERVER_NOT_FOUND */
  revive(server: string): { readonly was_killed: boolean; readonly breaker_was_open: boolean };
  safety(): readonly ServerSafety[];
  restingTools(): readonly RestingTool[];
}

/** @param states of every backend that is in use, in any order */
export function createKillSwitchPanel(states: () => ReadonlyMap<string, UpstreamStageState>): KillSwitchPanel {
  function stateOf(server: string): UpstreamStageState {
    const state = states().get(server);
    if (state === undefined)
      throw new DeniedError("SERVER_NOT_FOUND", `There is no running backend "${server}"`, { data: { server } });
    return state;
  }

  return {
    kill(server) {
      const { killSwitch } = stateOf(server);
      const was_already_killed = killSwitch.isKilled;
      killSwitch.kill();
      return { was_already_killed };
    },
    revive(server) {
      const { killSwitch, breaker } = stateOf(server);
      const result = { was_killed: killSwitch.restMs > 0, breaker_was_open: breaker.state !== "closed" };
      killSwitch.revive();
      breaker.reset();
      return result;
    },
    safety: () =>
      [...states()].map(([server, { killSwitch }]) => {
        const { errorRate, restMs, window } = killSwitch;
        const { successes, failures } = window;
        return { server, killed: restMs > 0, error_rate: errorRate, window: { successes, failures } };
      }),
    restingTools: () =>
      [...states()].flatMap(([backend, { killSwitch }]) =>
        [...killSwitch.restingTools()].map(({ tool, errorRate, restMs }) => ({
          backend,
          capability: tool,
          error_rate: errorRate,
          cooldown_seconds: Number.isFinite(restMs) ? Math.ceil(restMs / 1_000) : null,
        })),
      ),
  };
}
