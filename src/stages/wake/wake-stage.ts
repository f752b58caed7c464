/** Waits for a sleeping backend to start, so that its start, which has a time limit of its own, is not charged to the first call. */
import type { Stage } from "../../core/call.ts";
import type { Upstream } from "../../core/upstream.ts";

export function wakeStage(upstream: Pick<Upstream, "isReady" | "start">): Stage {
  return (call, next) => (upstream.isReady ? next(call) : upstream.start(call.signal).then(() => next(call)));
}
