/** Waits for a sleeping backend to start, so that its start, which has a time limit of its own, is not charged to the first call. */
import type { Stage } from "../../core/call.ts";
import type { Upstream } from "../../core/upstream.ts";

export function wakeStage(upstream: Pick<Upstream, "isReady" | "start">): Stage {
  return async (call, next) => {
    if (!upstream.isReady) await upstream.start(call.signal);
    return next(call);
  };
}
