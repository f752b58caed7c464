/** What operators see and do about backends that do harm: meta-tools and the management API are built on this. */
import { DeniedError } from "../core/errors.ts";
import type { SecurityEventSink } from "../core/security-event.ts";
import type { OperatorActions } from "../meta/meta-tool.ts";
import type { StageStates } from "../stages/stage-states.ts";
import type { UpstreamStageState } from "../stages/upstream-stage-state.ts";

export type KillSwitchPanel = Pick<OperatorActions, "kill" | "revive" | "safety" | "restingTools">;

/** @param note told of every switching, whoever does it */
export function createKillSwitchPanel(states: StageStates, note: SecurityEventSink): KillSwitchPanel {
  function stateOf(server: string): UpstreamStageState {
    const state = states.of(server);
    if (state === undefined)
      throw new DeniedError("SERVER_NOT_FOUND", `There is no running backend "${server}"`, { data: { server } });
    return state;
  }

  return {
    kill(server, act) {
      const { killSwitch } = stateOf(server);
      const was_already_killed = killSwitch.isKilled;
      killSwitch.kill();
      note({ action: "server-killed", server, ...act });
      return { was_already_killed };
    },
    revive(server, act) {
      const { killSwitch, breaker } = stateOf(server);
      const result = { was_killed: killSwitch.restMs > 0, breaker_was_open: breaker.state !== "closed" };
      killSwitch.revive();
      breaker.reset();
      note({ action: "server-revived", server, ...act });
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
