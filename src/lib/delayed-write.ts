/** Writes down what has changed some time after its first change, and tries again for as long as that fails. */
import type { Clock } from "./clock.ts";
import { FailureSeries } from "./failure-series.ts";

export interface DelayedWriteOptions {
  readonly clock: Pick<Clock, "after">;
  /** From the first change to the write, and from a write that failed to the next. */
  readonly afterMs: number;
  write(): Promise<void>;
  /** Called with the first error of a series, and with `undefined` when writing works again. */
  onProblem(error: unknown): void;
}

export class DelayedWrite {
  readonly #options: DelayedWriteOptions;
  readonly #failures: FailureSeries;
  #cancel: (() => void) | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(options: DelayedWriteOptions) {
    this.#options = options;
    this.#failures = new FailureSeries(options.onProblem);
  }

  /** Something has changed. */
  touch(): void {
    this.#cancel ??= this.#options.clock.after(this.#options.afterMs, () => this.#begin());
  }

  /** Resolves when everything is written, or could not be. */
  async flush(): Promise<void> {
    if (this.#cancel !== undefined) this.#begin();
    await this.#writing;
  }

  #begin(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#writing = this.#writing.then(() => this.#write());
  }

  async #write(): Promise<void> {
    try {
      await this.#options.write();
      this.#failures.succeeded();
    } catch (error) {
      this.#failures.failed(error);
      this.touch();
    }
  }
}
