/** Time as a value, so that policies can be tested without sleeping. */

export interface Clock {
  /** Monotonic milliseconds: for deadlines, windows and back-off. Never goes back, unrelated to the calendar. */
  now(): number;
  /** Calls `run` once after `ms`; the returned function cancels it. The timer never keeps the process alive. */
  after(ms: number, run: () => void): () => void;
}

const longestTimerMs = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => performance.now(),
  after(ms, run) {
    const timer = setTimeout(run, Math.min(Math.max(ms, 0), longestTimerMs));
    unref(timer);
    return () => clearTimeout(timer);
  },
};

function unref(timer: unknown): void {
  // Bun and Node hand out timer objects; Deno's global setTimeout hands out numbers.
  if (typeof timer === "object" && timer !== null && "unref" in timer && typeof timer.unref === "function")
    timer.unref();
}
