/**
 * Waits awake for what comes at once. A processor that goes idle takes some 20 µs to wake, on virtual machines more:
 * as long as a quick server takes to answer. Adaptive, as locks and network drivers do it: only for what came within
 * {@link longestMs} the last time, only that long, and never where the other side needs this processor for it.
 */
import { availableParallelism } from "node:os";
import { setImmediate } from "node:timers";

/** Beyond this the time to wake no longer matters. */
const longestMs = 0.1;

const thisMachine = {
  processors: availableParallelism,
  now: () => performance.now(),
  nextTurn: (turn: () => void): unknown => setImmediate(turn),
};

export interface ShortWait {
  /** From now on something may come. */
  begin(): void;
  /** Something came. */
  end(): void;
}

/** @param machine for tests */
export function createShortWait(machine = thisMachine): ShortWait {
  const { now, nextTurn } = machine;
  if (machine.processors() < 2) return { begin() {}, end() {} };
  /** `undefined` while nothing is waited for. */
  let beganAtMs: number | undefined;
  let isQuick = false;
  let isTurning = false;

  const turn = () => {
    isTurning = beganAtMs !== undefined && now() - beganAtMs < longestMs;
    if (isTurning) nextTurn(turn);
  };
  return {
    begin() {
      beganAtMs = now();
      if (!isQuick || isTurning) return;
      isTurning = true;
      nextTurn(turn);
    },
    end() {
      if (beganAtMs === undefined) return;
      isQuick = now() - beganAtMs < longestMs;
      beganAtMs = undefined;
    },
  };
}
