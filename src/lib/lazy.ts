/** A value that is made when it is first asked for, and once. */
export class Lazy<T> {
  readonly #make: () => T;
  #made: T | undefined;

  constructor(make: () => T) {
    this.#make = make;
  }

  get value(): T {
    this.#made ??= this.#make();
    return this.#made;
  }

  /** `undefined` as long as nobody asked for the value. */
  get made(): T | undefined {
    return this.#made;
  }
}
