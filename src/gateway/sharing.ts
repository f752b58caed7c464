/**
 * Whether this gateway shares its state with others, and the way to it. Light: what shares is loaded for configurations
 * that have a `shared_state`.
 */
import type { PeerEvents } from "../clients/session-table.ts";
import type { Logger } from "../core/log.ts";
import type { Clock } from "../lib/clock.ts";
import { stableJson } from "../lib/json.ts";
import type { SaveProblems } from "./save-problems.ts";
import type { SharedStateSettings } from "./shared/schema.ts";
import type { SharedState } from "./shared/shared-state.ts";

export interface Sharing {
  /** `undefined` while this gateway is alone. */
  readonly state: Promise<SharedState> | undefined;
  configure(settings: SharedStateSettings | undefined): void;
  close(): Promise<void>;
}

export interface SharingOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly saveProblems: SaveProblems;
  /** Milliseconds that a session is kept without being used. */
  readonly sessionTtlMs: () => number;
  /** Who is told of what other gateways do to sessions. */
  readonly events: () => PeerEvents | undefined;
}

const what = "Limits, budgets, sessions and kept answers";

export function createSharing({ saveProblems, ...options }: SharingOptions): Sharing {
  let settings: SharedStateSettings | undefined;
  let state: Promise<SharedState> | undefined;
  const onProblem = saveProblems.of(what, "this gateway goes on by itself and tries again", "shared");

  async function open(wanted: SharedStateSettings): Promise<SharedState> {
    const { openSharedState } = await import("./shared/shared-state.ts");
    return openSharedState({ ...options, settings: wanted, onProblem });
  }

  async function close(): Promise<void> {
    const closing = state;
    state = undefined;
    await (await closing)?.close();
  }

  return {
    get state() {
      return state;
    },
    configure(next) {
      if (stableJson(next) === stableJson(settings)) return;
      void close();
      saveProblems.forget(what);
      settings = next;
      if (next !== undefined) state = open(next);
    },
    close,
  };
}
