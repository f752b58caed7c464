/**
 * Bytes that come in pieces and are wanted whole. One buffer that doubles, not a list of pieces: a peer that sends ten
 * megabytes one byte at a time must not cost an object for every byte.
 */
const smallestBytes = 1_024;
const keptBytes = 65_536;

export class ByteCollector {
  #buffer = new Uint8Array(0);
  byteLength = 0;

  append(bytes: Uint8Array): void {
    const needed = this.byteLength + bytes.byteLength;
    if (needed > this.#buffer.byteLength) {
      const larger = new Uint8Array(Math.max(needed, this.#buffer.byteLength * 2, smallestBytes));
      larger.set(this.#buffer.subarray(0, this.byteLength));
      this.#buffer = larger;
    }
    this.#buffer.set(bytes, this.byteLength);
    this.byteLength = needed;
  }

  /** Everything so far, and begins anew. The view is good until the next {@link append}. */
  take(): Uint8Array {
    const whole = this.#buffer.subarray(0, this.byteLength);
    this.byteLength = 0;
    if (this.#buffer.byteLength > keptBytes) this.#buffer = new Uint8Array(0);
    return whole;
  }
}
