/** What is known of the gateway right now, kept current, and who wants to hear when it changes. */
import { ApiError, ask, follow } from "./api.js";

const pollMs = 3_000;
const maxRetryMs = 8_000;
const keptCalls = 300;

export const state = {
  /** `connecting`, `online`, `offline`, `locked` (a token is needed) */
  connection: "connecting",
  /** Why it is locked. */
  reason: "",
  status: undefined,
  running: [],
  /** Newest first. */
  calls: [],
  callCount: 0,
  inFlight: 0,
  statistics: undefined,
};

const listeners = new Set();
let timer;
let streaming;

export function onChange(listener) {
  listeners.add(listener);
}

export function changed() {
  for (const listener of listeners) listener();
}

/** Asks at once; again after a token was given. */
export function refresh() {
  clearTimeout(timer);
  return look();
}

let failures = 0;

async function look() {
  let delay = pollMs;
  try {
    const before = state.status;
    state.status = await ask("/ui/api/status", { signal: AbortSignal.timeout(10_000) });
    state.connection = "online";
    failures = 0;
    // Another process: what was seen of the last one is over.
    if (before?.started_at !== state.status.started_at) restart();
    if (state.status.role !== null) {
      stream();
      state.statistics = await ask("/ui/api/stats?tools=0", { signal: AbortSignal.timeout(10_000) });
    }
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) lock(error.message);
    // Too many wrong tokens; a key that has used up its rate goes on in a while.
    else if (error instanceof ApiError && error.status === 429 && state.status === undefined) lock(error.message);
    else if (error instanceof ApiError && error.status === 429) delay = maxRetryMs;
    else {
      state.connection = "offline";
      state.reason = error instanceof ApiError ? error.message : "";
      failures++;
      delay = Math.min(500 * 2 ** failures, maxRetryMs);
    }
  }
  changed();
  clearTimeout(timer);
  if (state.connection !== "locked") timer = setTimeout(look, document.hidden ? pollMs * 5 : delay);
}

function lock(reason) {
  state.connection = "locked";
  state.reason = reason;
  streaming?.abort();
  streaming = undefined;
}

function restart() {
  state.calls = [];
  state.callCount = 0;
  streaming?.abort();
  streaming = undefined;
}

/** One stream for the whole page; it is opened again with the next look after it ended. */
async function stream() {
  if (streaming !== undefined) return;
  const own = new AbortController();
  streaming = own;
  try {
    await follow(
      "/ui/api/calls/stream",
      ({ count, in_flight, running, calls }) => {
        const fresh = calls.filter(({ number }) => number > state.callCount);
        state.callCount = Math.max(count, state.callCount);
        state.calls = [...fresh.reverse(), ...state.calls].slice(0, keptCalls);
        state.running = running.map((call) => ({ ...call, since: Date.now() - call.running_ms }));
        state.inFlight = in_flight;
        changed();
      },
      own.signal,
    );
  } catch {
    // The next look says what is wrong.
  }
  if (streaming === own) streaming = undefined;
  state.running = [];
}

document.addEventListener("visibilitychange", () => {
  if (!document.hidden && state.connection !== "locked") refresh();
});
