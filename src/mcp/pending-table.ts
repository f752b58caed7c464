/**
 * Requests on their way, found by the ids they were given here. A ring of places instead of a `Map`: with a `Map` that
 * is filled and emptied all the time, young collections found 3.8 MB alive instead of 0.5, most of it calls long
 * answered, and garbage collection took 4.4 µs of a call instead of 1.4 (Bun 1.4.4, 32 connections).
 */
export class PendingTable<T extends { readonly id: number }> {
  #places: (T | undefined)[] = new Array(64).fill(undefined);
  #lastId = 0;
  size = 0;

  /** The next id, one whose place is free. The entry made for it must be handed to {@link add} at once. */
  nextId(): number {
    if (this.size * 2 >= this.#places.length) this.#grow();
    do this.#lastId++;
    while (this.#places[this.#lastId % this.#places.length] !== undefined);
    return this.#lastId;
  }

  add(entry: T): void {
    this.#places[entry.id % this.#places.length] = entry;
    this.size++;
  }

  get(id: unknown): T | undefined {
    if (typeof id !== "number") return undefined;
    const entry = this.#places[id % this.#places.length];
    return entry?.id === id ? entry : undefined;
  }

  delete(entry: T): void {
    if (this.get(entry.id) === undefined) return;
    this.#places[entry.id % this.#places.length] = undefined;
    this.size--;
  }

  all(): T[] {
    return this.#places.filter((entry) => entry !== undefined);
  }

  clear(): void {
    this.#places.fill(undefined);
    this.size = 0;
  }

  /** Two entries with places of their own have them in a ring of twice the size as well. */
  #grow(): void {
    const entries = this.all();
    this.#places = new Array(this.#places.length * 2).fill(undefined);
    for (const entry of entries) this.#places[entry.id % this.#places.length] = entry;
  }
}
