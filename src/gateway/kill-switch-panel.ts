/** What operators see and do about backends that do harm: meta-tools and the management API are built on this. */
import { DeniedError } from "../core/errors.ts";
import type { OperatorActions } from "../meta/meta-tool.ts";
import type { StageStates } from "../stages/stage-states.ts";
import type { UpstreamStageState } from "../stages/upstream-stage-state.ts";

export type KillSwitchPanel = Pick<OperatorActions, "kill" | "revive" | "safety" | "restingTools">;

export function createKillSwitchPanel(states: StageStates): KillSwitchPanel {
  function stateOf(server: string): UpstreamStageState {
    const state = states.of(server);
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
      states.all().map(([server, { killSwitch }]) => {
        const { errorRate, restMs, window } = killSwitch;
        const { successes, failures } = window;
        return { server, killed: restMs > 0, error_rate: errorRate, window: { successes, failures } };
      }),
    restingTools: () =>
      states.all().flatMap(([backend, { killSwitch }]) =>
        [...killSwitch.restingTools()].map(({ tool, errorRate, restMs }) => ({
          backend,
          capability: tool,
          error_rate: errorRate,
          cooldown_seconds: Number.isFinite(restMs) ? Math.ceil(restMs / 1_000) : null,
        })),
      ),
  };
}
