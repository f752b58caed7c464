/** Tells of the first of a series of failures, and with `undefined` of the first success after it. */
export class FailureSeries {
  readonly #tell: (error: unknown) => void;
  #isFailing = false;

  constructor(tell: (error: unknown) => void) {
    this.#tell = tell;
  }

  get isFailing(): boolean {
    return this.#isFailing;
  }

  failed(error: unknown): void {
    if (!this.#isFailing) this.#tell(error);
    this.#isFailing = true;
  }

  succeeded(): void {
    if (this.#isFailing) this.#tell(undefined);
    this.#isFailing = false;
  }
}
