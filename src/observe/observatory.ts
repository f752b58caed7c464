/** All that is seen of the gateway's work, in one place. Loaded with the first call or the first look. */

import type { CallRecord } from "../core/call-record.ts";
import type { Clock } from "../lib/clock.ts";
import { CallStatistics, type StatisticsOptions } from "./call-statistics.ts";
import { ClientStatistics } from "./client-statistics.ts";
import { LiveCalls } from "./live-calls.ts";
import { type Observed, ProfileFile } from "./profile-file.ts";
import { ProjectionTrial } from "./projection-trial.ts";

export interface ObservatoryOptions extends StatisticsOptions {
  /** Where profiles are kept; `undefined` keeps them in memory only. */
  readonly profilePath: string | undefined;
  readonly clock: Pick<Clock, "after">;
  redact(text: string): string;
  onProblem(error: unknown): void;
}

export class Observatory {
  readonly calls: CallStatistics;
  readonly clients = new ClientStatistics();
  readonly live: LiveCalls;
  readonly projections = new ProjectionTrial();
  readonly #file: ProfileFile | undefined;
  readonly #since: number;

  constructor(options: ObservatoryOptions) {
    this.calls = new CallStatistics(options);
    this.live = new LiveCalls(options);
    this.#since = options.now();
    const { profilePath } = options;
    if (profilePath !== undefined)
      this.#file = new ProfileFile({
        ...options,
        path: profilePath,
        current: () => this.#seen(false),
        take: () => this.#seen(true),
      });
  }

  record(call: CallRecord): void {
    this.calls.record(call);
    this.live.record(call);
    this.#file?.touch();
  }

  /** A meta-tool was answered; see {@link ClientStatistics.discovered}. */
  discovered(metaTool: string, text: string, tookMs: number): void {
    this.clients.discovered(metaTool, text, tookMs);
    this.#file?.touch();
  }

  /** What this process and those before it saw. */
  async all(): Promise<Observed> {
    return this.#file === undefined ? this.#seen(false) : this.#file.all();
  }

  async flush(): Promise<void> {
    await this.#file?.flush();
  }

  /** Since it was last taken. */
  #seen(anew: boolean): Observed {
    return { profiles: this.calls.profiles(anew), clients: this.clients.counts(anew), since: this.#since };
  }
}
