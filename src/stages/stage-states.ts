/** The states of all backends, each made when it first has something to remember. */
import type { Clock } from "../lib/clock.ts";
import type { Trip } from "./kill-switch/kill-switch.ts";
import type { FailsafeSettings } from "./schema.ts";
import { createStageState, type UpstreamStageState } from "./upstream-stage-state.ts";

export class StageStates {
  readonly #clock: Clock;
  readonly #onTrip: (server: string, trip: Trip) => void;
  /** In force, by backend. */
  readonly #settings = new Map<string, FailsafeSettings>();
  readonly #made = new Map<string, UpstreamStageState>();

  /** @param onTrip told when an error budget is used up */
  constructor(clock: Clock, onTrip: (server: string, trip: Trip) => void) {
    this.#clock = clock;
    this.#onTrip = onTrip;
  }

  /**
   * Puts settings in force, the backend's own overrides included.
   * @param isNew its definition changed: what it did before says nothing about it, but for an operator's word
   */
  configure(server: string, settings: FailsafeSettings, isNew: boolean): void {
    this.#settings.set(server, settings);
    const before = this.#made.get(server);
    if (before === undefined) return;
    if (isNew) {
      this.#made.delete(server);
      if (before.killSwitch.isKilled) this.of(server)?.killSwitch.kill();
    } else before.apply(settings);
  }

  /** `undefined` for a backend that is not configured. */
  of(server: string): UpstreamStageState | undefined {
    const settings = this.#settings.get(server);
    if (settings === undefined) return undefined;
    let state = this.#made.get(server);
    if (state === undefined) {
      state = createStageState(settings, this.#clock);
      state.killSwitch.onTrip = (trip) => this.#onTrip(server, trip);
      this.#made.set(server, state);
    }
    return state;
  }

  /** `undefined` as long as nothing happened. */
  made(server: string): UpstreamStageState | undefined {
    return this.#made.get(server);
  }

  /** Of every configured backend, in no particular order. */
  all(): [server: string, UpstreamStageState][] {
    return [...this.#settings.keys()].map((server) => [server, this.of(server) as UpstreamStageState]);
  }

  /** Leaves out what is not configured any more, and returns its names. */
  forgetAllBut(isConfigured: (server: string) => boolean): string[] {
    const gone = [...this.#settings.keys()].filter((server) => !isConfigured(server));
    for (const server of gone) {
      this.#settings.delete(server);
      this.#made.delete(server);
    }
    return gone;
  }
}
